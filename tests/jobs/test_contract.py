"""The container contract, by running jobs under it."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from sagehound.errors import JobFailure
from sagehound.jobs.contract import gpu_share, launch
from sagehound.jobs.process import ProcessLauncher
from sagehound.testing.launcher_suite import ended, text
from tests.jobs.jobs import job, staged

_SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


def _run(training_job, ready, service=None):
    launcher = ProcessLauncher()
    ready.folder.mkdir(exist_ok=True)
    launcher.start(launch(training_job, ready, {"PATH": "/usr/bin:/bin"} if service is None else service))
    return ended(launcher, ready.folder)


def _shown(tmp_path, training_job, **changes):
    service = changes.pop("service", None)
    end = _run(training_job, staged(tmp_path, {"train.py": _SHOW}, **changes), service)
    assert end.code == 0, end.reason
    return json.loads(text(tmp_path / "job")[-1])


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        ({"batch": '"32"'}, ["--batch", "32"]),
        ({"batch": '"\\"32\\""'}, ["--batch", "32"]),
        ({"lr": "0.002044759372457"}, ["--lr", "0.002044759372457"]),
        ({"v3": "abc"}, ["--v3", "abc"]),
        ({"wide": "true"}, ["--wide", "True"]),
        ({"text": '"two words"'}, ["--text", "two", "words"]),
        ({"text": '"\\"two words\\""'}, ["--text", "two words"]),
        ({"empty": '""', "z": "1"}, ["--empty", "-z", "1"]),
        ({"layers": "[1, 2]"}, ["--layers", "[1,", "2]"]),
        ({"of": '{"b": 2, "a": 1}'}, ["--of", "a=1,b=2"]),
        ({"_tuning_objective_metric": '"loss"', "sagemaker_region": '"x"', "sagemaker_estimator_module": '"m"'}, []),
        ({"e": "2", "test-batch-size": "100"}, ["-e", "2", "--test-batch-size", "100"]),
    ],
)
def test_arguments_arrive_as_the_toolkit_passes_them(tmp_path, sent, arrives):
    assert _shown(tmp_path, job(hyperparameters=sent))[0] == arrives


@pytest.mark.parametrize(
    ("gpus", "hosts", "shares"),
    [
        ((0, 1, 2, 3), 2, [(0, 1), (2, 3)]),
        ((4, 7), 2, [(4,), (7,)]),
        ((0, 1, 2), 2, [(0,), (1,)]),
        ((5,), 2, [(5,), (5,)]),
        ((), 2, [(), ()]),
        ((0, 1), 1, [(0, 1)]),
    ],
)
def test_hosts_divide_the_gpus(gpus, hosts, shares):
    assert [gpu_share(gpus, number, hosts) for number in range(hosts)] == shares


def test_a_host_sees_its_own_gpus_alone(tmp_path):
    hosts = launch(job(count=2), staged(tmp_path, {"train.py": ""}, hosts=2, gpus=(0, 1)), {}).hosts
    assert [host.environment["CUDA_VISIBLE_DEVICES"] for host in hosts] == ["0", "1"]
    assert [host.environment["SM_NUM_GPUS"] for host in hosts] == ["1", "1"]


def test_the_environment_is_the_toolkits(tmp_path):
    _, seen = _shown(tmp_path, job(hyperparameters={"lr": "0.1", "name": '"x"'}), cpus=3, region="eu-west-1")
    assert seen["SM_MODEL_DIR"] == "/opt/ml/model"
    assert seen["SM_CHANNEL_TRAINING"] == "/opt/ml/input/data/training"
    assert json.loads(seen["SM_CHANNELS"]) == ["training"]
    assert json.loads(seen["SM_HPS"]) == {"lr": 0.1, "name": "x"}
    assert (seen["SM_HP_LR"], seen["SM_HP_NAME"]) == ("0.1", "x")
    assert json.loads(seen["SM_USER_ARGS"]) == ["--lr", "0.1", "--name", "x"]
    assert (seen["SM_USER_ENTRY_POINT"], seen["SM_MODULE_NAME"]) == ("train.py", "train")
    assert seen["SM_MODULE_DIR"] == "s3://bucket/sourcedir.tar.gz"
    assert (seen["SM_NUM_CPUS"], seen["OMP_NUM_THREADS"], seen["SM_NUM_GPUS"]) == ("3", "3", "0")
    assert json.loads(seen["SM_TRAINING_ENV"])["channel_input_dirs"] == {"training": "/opt/ml/input/data/training"}
    assert seen["TRAINING_JOB_NAME"] == seen["SAGEMAKER_JOB_NAME"] == "dogs"
    assert seen["SAGEMAKER_REGION"] == seen["AWS_REGION"] == "eu-west-1"
    assert (seen["SM_HOST_COUNT"], seen["SM_CURRENT_HOST_RANK"], seen["SM_MASTER_ADDR"]) == ("1", "0", "algo-1")
    assert seen["PYTHONUNBUFFERED"] == "1"


_LISTED = """
SM_HOSTS SM_CURRENT_HOST SM_CURRENT_INSTANCE_TYPE SM_CURRENT_INSTANCE_GROUP SM_CURRENT_INSTANCE_GROUP_HOSTS
SM_INSTANCE_GROUPS SM_INSTANCE_GROUPS_DICT SM_DISTRIBUTION_INSTANCE_GROUPS SM_IS_HETERO SM_NETWORK_INTERFACE_NAME
SM_HPS SM_USER_ENTRY_POINT SM_USER_ARGS SM_FRAMEWORK_PARAMS SM_FRAMEWORK_MODULE SM_RESOURCE_CONFIG
SM_INPUT_DATA_CONFIG SM_CHANNELS SM_MODULE_NAME SM_MODULE_DIR SM_MODEL_DIR SM_INPUT_DIR SM_INPUT_CONFIG_DIR
SM_OUTPUT_DIR SM_OUTPUT_DATA_DIR SM_OUTPUT_INTERMEDIATE_DIR SM_LOG_LEVEL SM_NUM_CPUS SM_NUM_GPUS SM_NUM_NEURONS
SM_TRAINING_ENV TRAINING_JOB_NAME TRAINING_JOB_ARN SAGEMAKER_JOB_NAME SAGEMAKER_REGION SM_HOST_COUNT
SM_CURRENT_HOST_RANK SM_MASTER_ADDR SM_MASTER_PORT SM_SOURCE_DIR SM_ENTRY_SCRIPT SM_INPUT_DATA_DIR SM_OUTPUT_FAILURE
"""


def test_every_variable_of_the_contract_is_there(tmp_path):
    _, seen = _shown(tmp_path, job())
    assert [name for name in _LISTED.split() if name not in seen] == []


def test_nothing_of_the_callers_leaks(tmp_path):
    caller = {"PATH": "/usr/bin:/bin", "HOME": "/somewhere", "SM_MODEL_DIR": "s3://mine/", "SM_CHANNEL_TEST": "s3://t"}
    caller |= {"AWS_PROFILE": "work", "PYTHONPATH": "/evil", "VIRTUAL_ENV": "/v", "HTTPS_PROXY": "http://p"}
    _, seen = _shown(tmp_path, job(environment={"MINE": "1"}), service=caller, environment={"AWS_ENDPOINT_URL": "u"})
    assert seen["SM_MODEL_DIR"] == "/opt/ml/model"
    assert {"SM_CHANNEL_TEST", "AWS_PROFILE", "VIRTUAL_ENV"}.isdisjoint(seen)
    assert "/evil" not in seen["PYTHONPATH"]
    assert (seen["HOME"], seen["HTTPS_PROXY"], seen["MINE"]) == ("/somewhere", "http://p", "1")
    assert seen["AWS_ENDPOINT_URL"] == "u"


def test_the_request_may_set_threads_and_allocator(tmp_path):
    environment = {
        "OMP_NUM_THREADS": "7",
        "MALLOC_TOP_PAD_": "1",
        "PYTHONPATH": "/mine",
        "PATH": "/own/bin:/usr/bin:/bin",
    }
    _, seen = _shown(tmp_path, job(environment=environment), cpus=2)
    assert (seen["OMP_NUM_THREADS"], seen["MALLOC_TOP_PAD_"], seen["MKL_NUM_THREADS"]) == ("7", "1", "2")
    assert seen["PYTHONPATH"].split(":")[-1] == "/mine"
    assert seen["PATH"].split(":")[0].endswith("algo-1.python/bin")
    assert "/own/bin" in seen["PATH"].split(":")


def test_the_allocator_can_be_left_alone(tmp_path):
    _, seen = _shown(tmp_path, job(), fast_malloc=False)
    assert not [name for name in seen if name.startswith("MALLOC_")]
    assert not [line for line in text(tmp_path / "job") if "MALLOC_" in line and "sagehound:" in line]


def test_configuration_files_are_as_sagemaker_writes_them(tmp_path):
    files = "{f: json.load(open(c + f)) for f in os.listdir(c)}"
    show = f"import json, os; c = '/opt/ml/input/config/'; print(json.dumps({files}))"
    hook, board = {"LocalPath": "/opt/ml/output/tensors"}, {"LocalPath": "/opt/ml/output/tensorboard"}
    training_job = job(hyperparameters={"batch": '"32"'}, count=2, debug_hook=hook, tensorboard=board)
    assert _run(training_job, staged(tmp_path, {"train.py": show}, hosts=2)).code == 0
    files = json.loads(text(tmp_path / "job", "algo-2")[-1])
    assert files["hyperparameters.json"]["batch"] == '"32"'
    assert files["resourceconfig.json"]["current_host"] == "algo-2"
    assert files["resourceconfig.json"]["hosts"] == ["algo-1", "algo-2"]
    assert files["inputdataconfig.json"]["training"]["TrainingInputMode"] == "File"
    assert files["debughookconfig.json"] == hook
    assert files["tensorboardoutputconfig.json"] == board
    assert "profilerconfig.json" not in files


@pytest.mark.parametrize("wanted", [True, False])
def test_a_job_that_asks_for_tensors_is_told_to_hook_itself(tmp_path, wanted):
    _, seen = _shown(tmp_path, job(auto_hook=wanted))
    assert seen.get("SAGEHOUND_AUTO_HOOK") == ("1" if wanted else None)
    assert not (tmp_path / "job" / "algo-1" / "output" / "tensors").exists()


@pytest.mark.parametrize("wanted", [True, False])
def test_steps_are_timed_where_the_request_asks_for_it(tmp_path, wanted):
    _, seen = _shown(tmp_path, job(auto_profile=wanted))
    assert seen.get("SAGEHOUND_AUTO_PROFILE") == ("1" if wanted else None)


def test_channels_are_there_and_cannot_be_changed(tmp_path):
    script = """
print(open('/opt/ml/input/data/training/data.txt').read())
try: open('/opt/ml/input/data/training/new', 'w')
except OSError as problem: print(problem.strerror)
"""
    assert _run(job(), staged(tmp_path, {"train.py": script})).code == 0
    assert text(tmp_path / "job")[-2:] == ["data", "Read-only file system"]


def test_a_shell_script_is_run_with_its_arguments(tmp_path):
    files = {"go/train.sh": '#!/bin/bash\necho "$PWD $@"; python -c "import torch, sys; print(sys.prefix)"'}
    end = _run(job(program="go/train.sh", hyperparameters={"lr": "0.1"}), staged(tmp_path, files))
    assert end.code == 0, end.reason
    lines = text(tmp_path / "job")
    assert "/opt/ml/code --lr 0.1" in lines
    assert lines[-1].endswith("algo-1.python")


def test_packages_that_a_script_installs_reach_that_job_alone(tmp_path):
    script = """
import subprocess, sys, sysconfig, torch
print(sysconfig.get_path("purelib"))
print(subprocess.run(["pip", "--version"], capture_output=True, text=True).stdout)
print(subprocess.run("which pip python python3", shell=True, capture_output=True, text=True).stdout)
"""
    end = _run(job(), staged(tmp_path, {"train.py": script}))
    assert end.code == 0, end.reason
    places = [line for line in text(tmp_path / "job") if line.startswith("/")]
    assert places
    assert all("algo-1.python" in place for place in places)


def test_an_entry_point_of_the_requests_own_runs_as_it_stands(tmp_path):
    command = "chmod +x /opt/ml/input/data/sm_drivers/go.sh && /opt/ml/input/data/sm_drivers/go.sh"
    channels = ("training", "sm_drivers", "code")
    training_job = job(program="", entrypoint=("/bin/bash",), arguments=("-c", command), channels=channels)
    ready = staged(tmp_path, {}, channels=channels)
    driver = tmp_path / "channels" / "sm_drivers" / "go.sh"
    driver.write_text(
        '#!/bin/bash\ncd /opt/ml/input/data/code; command -v python3; python3 -c "import torch; print(1)"'
    )
    end = _run(training_job, ready)
    assert end.code == 0, end.reason
    assert text(tmp_path / "job")[-1] == "1"
    assert text(tmp_path / "job")[-2].endswith("algo-1.python/bin/python3")
    assert not driver.stat().st_mode & 0o100


def test_the_drivers_of_the_sdk_run_unmodified(tmp_path):
    modules = pytest.importorskip("sagemaker.modules", reason="the SDK's own drivers are what is tested")
    from sagemaker.modules import templates

    channels = ("training", "sm_drivers", "code")
    ready = staged(tmp_path, {}, channels=channels)
    drivers, code = tmp_path / "channels" / "sm_drivers", tmp_path / "channels" / "code"
    shutil.copytree(Path(modules.__file__).parent / "train" / "container_drivers", drivers, dirs_exist_ok=True)
    (drivers / "sourcecode.json").write_text('{"source_dir": "code", "entry_script": "mine.py"}')
    (drivers / "sm_train.sh").write_text(
        templates.TRAIN_SCRIPT_TEMPLATE.format(
            working_dir="cd /opt/ml/input/data/code",
            install_requirements="",
            execute_driver=templates.EXECUTE_BASIC_SCRIPT_DRIVER,
        )
    )
    (code / "mine.py").write_text("import os, sys; print('mine', sys.argv[1:], os.environ['SM_CURRENT_HOST_RANK'])")
    command = "chmod +x /opt/ml/input/data/sm_drivers/sm_train.sh && /opt/ml/input/data/sm_drivers/sm_train.sh"
    training_job = job(
        program="",
        hyperparameters={"lr": "0.1"},
        entrypoint=("/bin/bash",),
        arguments=("-c", command),
        channels=channels,
        count=2,
    )
    ready = type(ready)(
        folder=ready.folder, hosts_channels=dict.fromkeys(("algo-1", "algo-2"), ready.hosts_channels["algo-1"])
    )
    end = _run(training_job, ready)
    assert end.code == 0, end.reason
    assert "mine ['--lr', '0.1'] 1" in text(tmp_path / "job", "algo-2")


def test_output_is_packed_without_being_asked(tmp_path):
    script = "open('/opt/ml/output/data/curve.png', 'w').write('png'); open('/opt/ml/model/m', 'w').write('m')"
    end = _run(job(), staged(tmp_path, {"train.py": script}))
    with tarfile.open(end.artifacts["output"]) as tar:
        assert tar.getnames() == ["curve.png"]
    assert sorted(end.artifacts) == ["model", "output"]


def test_uncompressed_output_is_a_folder(tmp_path):
    end = _run(job(compress_output=False), staged(tmp_path, {"train.py": "open('/opt/ml/model/m', 'w').write('m')"}))
    assert (end.artifacts["model"] / "m").read_text() == "m"


def test_what_a_script_writes_to_failure_is_the_reason(tmp_path):
    script = "open('/opt/ml/output/failure', 'w').write('the data has no labels'); raise SystemExit(3)"
    end = _run(job(), staged(tmp_path, {"train.py": script}))
    assert end.code == 3
    assert "the data has no labels" in end.reason


def test_distributed_hosts_meet(tmp_path):
    script = """
import torch, torch.distributed as dist
dist.init_process_group("gloo")
total = torch.tensor([dist.get_rank() + 1.0])
dist.all_reduce(total)
print("total", total.item())
dist.destroy_process_group()
"""
    training_job = job(count=2, hyperparameters={"sagemaker_torch_distributed_enabled": "true"})
    end = _run(training_job, staged(tmp_path, {"train.py": script}, hosts=2))
    assert end.code == 0, end.reason
    assert "total 3.0" in text(tmp_path / "job", "algo-1") + text(tmp_path / "job", "algo-2")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"program": "", "image": "1.dkr.ecr.us-east-1.amazonaws.com/xgboost:1"}, "'xgboost'.*entry_point"),
        ({"program": "other.py"}, "'other.py' is not in the code; it holds: train.py"),
        ({"program": "a\\u0000.py"}, "no program can be given"),
        ({"hyperparameters": {"x": '"\\ud800"'}}, "no program can be given"),
        ({"environment": {"X": "a\0b"}}, "no program can be given"),
        ({"program": "../train.py"}, "is not in the code"),
        ({"hyperparameters": {"sagemaker_mpi_enabled": "true"}}, "distribution mpi is not supported"),
        ({"checkpoint_path": "/tmp/checkpoints"}, "/tmp/checkpoints is not supported"),
    ],
)
def test_what_cannot_run_says_what_to_do(tmp_path, changes, wanted):
    with pytest.raises(JobFailure, match=wanted):
        launch(job(**changes), staged(tmp_path, {"train.py": "pass"}))


def test_code_may_come_by_channel(tmp_path):
    ready = staged(tmp_path, {}, channels=("training", "code"))
    (tmp_path / "channels" / "code" / "train.py").write_text("print('from the channel')")
    assert _run(job(channels=("training", "code")), ready).code == 0
    assert text(tmp_path / "job")[-1] == "from the channel"
