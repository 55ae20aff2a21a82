"""What a request asks of the profiler: the sampler, the steps' timing, the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from sagehound.api.profiler_rules import profiler_rules
from sagehound.errors import InvalidInput
from sagehound.jobs.sampling import DEFAULT_INTERVAL_MS
from sagehound.names import S3Uri
from sagehound.records.training import TrainingJob, TrainingSpec

INTERVALS_MS = (100, 200, 500, 1000, 5000, 60000)
_PATH = "/opt/ml/output/profiler"
#: Parameters that ask for what happens in the script, not only on the machine.
_FRAMEWORK = frozenset({"DetailedProfilingConfig", "DataloaderProfilingConfig", "PythonProfilingConfig"})


def profiling(request: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a TrainingSpec that are the profiler's; InvalidInput where they can never work."""
    config, output = dict(request.get("ProfilerConfig", {})), request["OutputDataConfig"]["S3OutputPath"]
    asked = request.get("ProfilerRuleConfigurations", [])
    taken = [rule["RuleConfigurationName"] for rule in request.get("DebugRuleConfigurations", [])]
    if asked and config.get("DisableProfiler"):
        raise InvalidInput(
            "ProfilerRuleConfigurations need the profiler, which ProfilerConfig.DisableProfiler switches off; leave "
            "one of the two out"
        )
    rules = profiler_rules(asked, output, taken)
    if rules and not config:
        config = {"S3OutputPath": output}
    return {**_of(config, output), "profiler_rules": rules, "auto_profile": bool(rules) or asks_of_steps(config)}


def updated(job: TrainingJob, request: Mapping[str, Any]) -> TrainingJob:
    """The job as an UpdateTrainingJob request wants it; InvalidInput where that is not to be had."""
    config = {**_shown(job), **request.get("ProfilerConfig", {})}
    if not request.get("ProfilerConfig", {}).get("DisableProfiler", False):
        config["DisableProfiler"] = False
    added = request.get("ProfilerRuleConfigurations", [])
    output = job.document["OutputDataConfig"]["S3OutputPath"]
    rules = profiler_rules(added, output, [rule.name for rule in job.spec.all_rules])
    if rules and config["DisableProfiler"]:
        raise InvalidInput("ProfilerRuleConfigurations need the profiler, which this request switches off")
    if asks_of_steps(request.get("ProfilerConfig", {})) and not job.spec.auto_profile:
        raise InvalidInput(
            "ProfilerConfig.ProfilingParameters ask for framework metrics, but the job's script began without them, "
            "and they cannot be brought in while it runs; give the estimator framework_profile_params, or a "
            "ProfilerRule, before fit"
        )
    fields = _of(config, output)
    if job.spec.profiler_uri and fields.get("profiler_uri", job.spec.profiler_uri) != job.spec.profiler_uri:
        raise InvalidInput(
            f"ProfilerConfig.S3OutputPath is {job.spec.profiler_uri} and cannot be changed while the job runs"
        )
    # What was written stays where it is, and goes where it went.
    fields["profiler"] = fields["profiler"] or {"DisableProfiler": True}
    fields["profiler_uri"] = fields.get("profiler_uri") or job.spec.profiler_uri
    fields["profiler_path"] = fields.get("profiler_path") or job.spec.profiler_path
    spec = replace(job.spec, **fields, profiler_rules=(*job.spec.profiler_rules, *rules))
    listed = [*job.document.get("ProfilerRuleConfigurations", []), *added]
    shown = {"ProfilerConfig": config, **({"ProfilerRuleConfigurations": listed} if listed else {})}
    return job.evolve(spec=spec, document={**job.document, **shown})


def _shown(job: TrainingJob) -> dict[str, Any]:
    config: dict[str, Any] = job.document.get("ProfilerConfig", {})
    return config


def status(spec: TrainingSpec) -> str:
    """DescribeTrainingJob's ProfilingStatus."""
    return "Enabled" if spec.profiler_interval_ms else "Disabled"


def asks_of_steps(config: Mapping[str, Any]) -> bool:
    """Whether the config asks for the framework's metrics; the SDK's default asks for the machine's alone."""
    return bool(_FRAMEWORK & config.get("ProfilingParameters", {}).keys())


def _of(config: Mapping[str, Any], output: str) -> dict[str, Any]:
    """What a ProfilerConfig says; an empty one, and one that switches off, says that nothing is profiled."""
    if config.get("ProfilingIntervalInMilliseconds", DEFAULT_INTERVAL_MS) not in INTERVALS_MS:
        raise InvalidInput(
            f"ProfilerConfig.ProfilingIntervalInMilliseconds is {config['ProfilingIntervalInMilliseconds']}; allowed "
            f"are {', '.join(map(str, INTERVALS_MS))}"
        )
    parameters = config.get("ProfilingParameters", {})
    path = _local(parameters.get("LocalPath") or _PATH)
    if not config or config.get("DisableProfiler"):
        return {"profiler": {}, "profiler_interval_ms": 0}
    return {
        "profiler": {**config, "S3OutputPath": config.get("S3OutputPath") or output},
        "profiler_path": path,
        "profiler_uri": _uri(config.get("S3OutputPath") or output),
        "profiler_interval_ms": config.get("ProfilingIntervalInMilliseconds", DEFAULT_INTERVAL_MS),
    }


def _local(path: str) -> str:
    place = PurePosixPath(path)
    if ".." in place.parts or not place.is_relative_to("/opt/ml") or len(place.parts) < 4:
        raise InvalidInput(
            f"ProfilerConfig.ProfilingParameters.LocalPath {path!r} must be a folder in /opt/ml, e.g. {_PATH}; or "
            "leave it out"
        )
    return str(place)


def _uri(text: str) -> str:
    try:
        S3Uri.parse(text)
    except InvalidInput as error:
        raise InvalidInput(f"ProfilerConfig.S3OutputPath {error}") from None
    return text
