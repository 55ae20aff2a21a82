import json
from pathlib import Path

import pytest

from sagehound.errors import InvalidInput
from sagehound.profile.config import DataloaderProfiling, PythonProfiling, TrainingProfile
from sagehound.profile.window import Window

#: As SDK v2 sends it for FrameworkProfile(num_steps=10).
SDK = {
    "S3OutputPath": "s3://bucket/",
    "DisableProfiler": False,
    "ProfilingIntervalInMilliseconds": 500,
    "ProfilingParameters": {
        "LocalPath": "/opt/ml/output/profiler",
        "RotateMaxFileSizeInBytes": "10485760",
        "RotateFileCloseIntervalInSeconds": "60",
        "FileOpenFailThreshold": "50",
        "DetailedProfilingConfig": '{"StartStep": 0, "NumSteps": 10, }',
        "DataloaderProfilingConfig": '{"StartStep": 0, "NumSteps": 10, "MetricsRegex": ".*", }',
        "PythonProfilingConfig": '{"StartStep": 0, "NumSteps": 10, "ProfilerName": "cprofile", '
        '"cProfileTimer": "total_time", }',
        "HorovodProfilingConfig": '{"StartStep": 0, "NumSteps": 10, }',
        "SMDataParallelProfilingConfig": '{"StartStep": 0, "NumSteps": 10, }',
    },
}


def parameters(**fields: object) -> TrainingProfile:
    return TrainingProfile.from_document({"ProfilingParameters": fields})


def test_what_the_sdk_sends() -> None:
    ten = Window(start_step=0, steps=10)
    assert TrainingProfile.from_document(SDK) == TrainingProfile(
        detailed=ten,
        dataloader=DataloaderProfiling(ten),
        python=PythonProfiling(ten),
        ignored=("HorovodProfilingConfig", "SMDataParallelProfilingConfig"),
    )


def test_keys_in_any_case_and_parameters_alone() -> None:
    lower = json.loads(json.dumps(SDK["ProfilingParameters"]).lower())
    assert TrainingProfile.from_document(lower) == TrainingProfile.from_document(SDK)


def test_a_time_as_the_sdk_calls_it_and_as_the_guide_does() -> None:
    sdk = parameters(DetailedProfilingConfig='{"StartTimeInSecSinceEpoch": 1700000000, "Duration": 2.5, }')
    guide = parameters(DetailedProfilingConfig={"StartTimeInSecSinceEpoch": "1700000000", "DurationInSeconds": "2.5"})
    assert sdk.detailed == guide.detailed == Window(start_step=None, start_s=1.7e9, duration_s=2.5)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"DetailedProfilingConfig": '{"StartStep": -1}'}, "StartStep is -1: a whole number of at least 0"),
        ({"DetailedProfilingConfig": '{"NumSteps": 0}'}, "NumSteps is 0: a whole number of at least 1"),
        ({"DetailedProfilingConfig": '{"NumSteps": 1.5}'}, "NumSteps is 1.5"),
        ({"DetailedProfilingConfig": '{"NumSteps": "ten"}'}, "NumSteps is 'ten'"),
        ({"DetailedProfilingConfig": "{StartStep 3"}, "DetailedProfilingConfig is '{StartStep 3', which is no JSON"),
        ({"DetailedProfilingConfig": [1]}, "an object such as"),
        ({"DetailedProfilingConfig": '{"NumSteps": 1, "DurationInSeconds": 2}'}, "give one of them"),
        ({"DetailedProfilingConfig": '{"DurationInSeconds": 0}'}, "greater than 0"),
        ({"DataloaderProfilingConfig": '{"NumSteps": 1, "MetricsRegex": "("}'}, "MetricsRegex is '('"),
        ({"PythonProfilingConfig": '{"NumSteps": 1, "ProfilerName": "perf"}'}, "one of cprofile, pyinstrument"),
        ({"PythonProfilingConfig": '{"NumSteps": 1, "cProfileTimer": "wall"}'}, "one of total_time, cpu_time"),
        ({"RotateFileCloseIntervalInSeconds": "0"}, "RotateFileCloseIntervalInSeconds is '0'"),
        ({"ProfilerEnabled": "maybe"}, "ProfilerEnabled is 'maybe': true or false"),
    ],
)
def test_an_error_names_the_field_and_what_is_allowed(fields: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parameters(**fields)
    assert said in str(caught.value)


def test_it_is_switched_off_by_either_name() -> None:
    assert not TrainingProfile.from_document({"DisableProfiler": True}).enabled
    assert not parameters(ProfilerEnabled="false").enabled
    assert TrainingProfile.from_document({}).enabled


def test_the_file_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "profilerconfig.json"
    monkeypatch.setenv("SMPROFILER_CONFIG_PATH", str(file))
    assert TrainingProfile.from_json_file() == TrainingProfile()
    file.write_text(json.dumps(SDK))
    assert TrainingProfile.from_json_file() == TrainingProfile.from_document(SDK)
    file.write_text("{")
    with pytest.raises(InvalidInput, match="no JSON file"):
        TrainingProfile.from_json_file()
    with pytest.raises(InvalidInput, match="is not there"):
        TrainingProfile.from_json_file(str(tmp_path / "other.json"))
