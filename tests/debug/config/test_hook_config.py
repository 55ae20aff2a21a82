import json
from pathlib import Path

import pytest

from sagehound.debug.config.hook_config import HookConfig
from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.debug.config.save_config import SaveConfig, SaveConfigMode
from sagehound.debug.modes import ModeKeys
from sagehound.errors import (
    DebuggerError,
    DebuggerFileNotFoundError,
    DebuggerTypeError,
    DebuggerValueError,
)

RECORDED = Path(__file__).parents[4] / "shared/reference/wire/sagemaker-CreateTrainingJob-debugger.json"
TRAIN, EVAL, PREDICT, GLOBAL = ModeKeys


@pytest.fixture(autouse=True)
def _no_job(monkeypatch, tmp_path):
    monkeypatch.setenv("TENSORBOARD_CONFIG_FILE_PATH", str(tmp_path / "none.json"))
    monkeypatch.delenv("SMDEBUG_CONFIG_FILE_PATH", raising=False)


def hook(**parameters):
    return HookConfig.from_document({"HookParameters": {name.replace("__", "."): v for name, v in parameters.items()}})


def saved(config):
    collections = config.hook_collections()
    chosen = collections.select(config.included(), config.save_config, config.reduction_config)
    return {collection.name: collection for collection in chosen}


def due(collection, mode, up_to=101):
    return [step for step in range(up_to) if collection.due(mode, step)]


def test_the_seeds_configuration():
    config = HookConfig.from_document(
        {
            "S3OutputPath": "s3://bucket/",
            "LocalPath": "/opt/ml/output/tensors",
            "HookParameters": {"train.save_interval": "10", "eval.save_interval": "5"},
            "CollectionConfigurations": [
                {
                    "CollectionName": "CrossEntropyLoss_output_0",
                    "CollectionParameters": {
                        "include_regex": "CrossEntropyLoss_output_0",
                        "train.save_interval": "20",
                        "eval.save_interval": "50",
                    },
                }
            ],
        }
    )
    collections = saved(config)
    assert sorted(collections) == ["CrossEntropyLoss_output_0", "losses"]
    loss = collections["CrossEntropyLoss_output_0"]
    assert loss.matches("CrossEntropyLoss_output_0")
    assert (due(loss, TRAIN), due(loss, EVAL)) == ([0, 20, 40, 60, 80, 100], [0, 50, 100])
    assert len(due(collections["losses"], TRAIN)) == 11


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded requests are not beside this checkout")
def test_the_recorded_request():
    recorded = json.loads(RECORDED.read_text())["request"]["body"]["DebugHookConfig"]
    collections = saved(HookConfig.from_document(recorded))
    assert sorted(collections) == ["CrossEntropyLoss_output_0", "gradients", "losses"]
    assert due(collections["gradients"], TRAIN, 1001) == [0, 500, 1000], "what a collection says goes first"
    assert due(collections["losses"], EVAL, 1001) == [0, 500, 1000]
    assert due(collections["CrossEntropyLoss_output_0"], EVAL, 21) == [0, 10, 20], "then what the hook says"


def test_nothing_said_is_losses_every_500_steps():
    config = HookConfig.from_document({"HookParameters": None, "CollectionConfigurations": None})
    assert list(saved(config)) == ["losses"]
    assert due(saved(config)["losses"], GLOBAL, 1001) == [0, 500, 1000]
    assert (config.include_workers, config.step, config.save_all, config.dry_run) == ("one", "forward", False, False)


def test_where_tensors_go(monkeypatch):
    assert HookConfig.from_document({"LocalPath": "/a/b"}).out_dir == "/a/b"
    monkeypatch.delenv("SM_OUTPUT_DIR", raising=False)
    assert HookConfig.from_document({}).out_dir == "/opt/ml/output/tensors"
    monkeypatch.setenv("SM_OUTPUT_DIR", "/job/output")
    assert HookConfig.from_document({}).out_dir == "/job/output/tensors"


def test_every_parameter_of_the_hook():
    config = hook(
        save_interval="7",
        train__start_step="10",
        train__end_step="20",
        eval__save_steps="1, 2",
        include_regex="relu,conv[0-9]{1,2}",
        reductions="min,abs_l2_norm",
        save_raw_tensor="true",
        save_all="True",
        include_workers="all",
        export_tensorboard="true",
        tensorboard_dir="/tb",
        dry_run="true",
        step="optimizer",
        save_histogram="false",
    )
    collections = saved(config)
    weights = collections["weights"]
    assert (due(weights, TRAIN), due(weights, EVAL), due(weights, PREDICT, 20)) == ([14], [1, 2], [0, 7, 14])
    assert collections["default"].include_regex == ["relu", "conv[0-9]{1,2}"]
    assert weights.reduction_config == ReductionConfig(["min"], abs_norms=["l2"], save_raw_tensor=True)
    assert not any(collection.save_histogram for collection in collections.values())
    assert (config.include_workers, config.step, config.dry_run) == ("all", "optimizer", True)
    assert (config.export_tensorboard, config.tensorboard_dir) == (True, "/tb")
    assert "all" in collections


def test_every_parameter_of_a_collection():
    config = HookConfig.from_document(
        {
            "HookParameters": {"save_interval": "2", "start_step": "4"},
            "CollectionConfigurations": [
                {
                    "CollectionName": "weights",
                    "CollectionParameters": {
                        "include_regex": "kernel",
                        "save_interval": "10",
                        "predict.save_interval": "25",
                        "global.end_step": "20",
                        "reductions": "max",
                        "save_histogram": "False",
                    },
                },
                {"CollectionName": "biases", "CollectionParameters": None},
            ],
        }
    )
    weights, biases = saved(config)["weights"], saved(config)["biases"]
    assert weights.matches("kernel")
    assert weights.matches("fc.weight")
    assert due(weights, TRAIN, 31) == [10, 20, 30], "the hook's start stays"
    assert (due(weights, PREDICT), due(weights, GLOBAL)) == ([25, 50, 75, 100], [10])
    assert weights.reduction_config.names == ("max",)
    assert not weights.save_histogram
    assert due(biases, TRAIN, 9) == [4, 6, 8]


def test_an_interval_close_by_goes_before_steps_from_far():
    config = HookConfig.from_document(
        {
            "HookParameters": {"save_steps": "1,2", "eval.save_interval": "50"},
            "CollectionConfigurations": [
                {"CollectionName": "weights", "CollectionParameters": {"train.save_interval": "40"}}
            ],
        }
    )
    weights = saved(config)["weights"]
    assert [due(weights, mode) for mode in (TRAIN, EVAL, PREDICT)] == [[0, 40, 80], [0, 50, 100], [1, 2]]


def test_values_may_be_json_numbers_and_flags():
    config = hook(save_interval=100, save_steps=[3, 4], save_all=False, export_tensorboard=True)
    assert due(saved(config)["losses"], TRAIN) == [3, 4]
    assert (config.export_tensorboard, config.tensorboard_dir) == (True, None)


def test_a_jobs_tensorboard_configuration_decides(monkeypatch, tmp_path):
    file = tmp_path / "tensorboardoutputconfig.json"
    file.write_text('{"LocalPath": "/opt/ml/output/tb"}')
    monkeypatch.setenv("TENSORBOARD_CONFIG_FILE_PATH", str(file))
    config = hook(tensorboard_dir="/elsewhere")
    assert (config.export_tensorboard, config.tensorboard_dir) == (True, "/opt/ml/output/tb")
    file.write_text("{}")
    assert hook().tensorboard_dir == "/opt/ml/output/tensorboard"


def test_the_file_of_the_job_is_found(monkeypatch, tmp_path):
    file = tmp_path / "hook.json"
    file.write_text('{"LocalPath": "/out"}')
    assert HookConfig.from_json_file(file).out_dir == "/out"
    monkeypatch.setenv("SMDEBUG_CONFIG_FILE_PATH", str(file))
    assert HookConfig.from_json_file().out_dir == "/out"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.json: there is no such file"):
        HookConfig.from_json_file(tmp_path / "none.json")
    assert issubclass(DebuggerFileNotFoundError, DebuggerError)


@pytest.mark.parametrize("text", ["{", "[]", "", '{"HookParameters": {"save_interval": 1,}}', "\xff"])
def test_a_file_without_a_json_object_is_named(tmp_path, text):
    file = tmp_path / "hook.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(DebuggerValueError, match=r"hook\.json: it cannot be read as a JSON object"):
        HookConfig.from_json_file(file)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"save_intervall": "10"}, "HookParameters: unknown parameter 'save_intervall'; allowed are save_interval, "),
        ({"test.save_interval": "10"}, "unknown parameter 'test.save_interval'.*train., eval., predict., global. "),
        ({"train.include_regex": "a"}, "unknown parameter 'train.include_regex'"),
        ({"train.save_interval": "ten"}, "HookParameters: train.save_interval 'ten' is not allowed: give a whole"),
        ({"save_interval": "0"}, "save_interval '0' is not allowed: give a whole number, 1 or more"),
        ({"save_steps": "1,two"}, "save_steps 'two'"),
        ({"include_regex": "relu,(conv"}, r"include_regex '\(conv' of the hook is no regular expression"),
        ({"include_regex": 3}, "include_regex 3 is no text"),
        ({"reductions": "min,mode"}, "unknown reduction 'mode'; there are min, max"),
        ({"save_all": "si"}, "save_all 'si' is not allowed: give True or False"),
        ({"include_workers": "two"}, "include_workers 'two' is not allowed; there are one, all"),
        ({"step": "batch"}, "step 'batch' is not allowed; there are forward, optimizer"),
    ],
)
def test_a_bad_parameter_is_named_with_what_is_allowed(parameters, message):
    with pytest.raises(DebuggerValueError, match=message):
        HookConfig.from_document({"HookParameters": parameters})


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("weights", "CollectionConfigurations is no list"),
        (["weights"], "CollectionConfigurations has 'weights', which has no CollectionName"),
        ([{"CollectionParameters": {}}], "which has no CollectionName"),
        ([{"CollectionName": "a", "CollectionParameters": "x"}], "CollectionParameters is 'x'"),
        ([{"CollectionName": "a", "CollectionParameters": {"save_all": "1"}}], "of 'a': unknown parameter 'save_all'"),
        ([{"CollectionName": "a", "CollectionParameters": {"include_regex": "*"}}], "of 'a': include_regex '\\*'"),
    ],
)
def test_a_bad_collection_is_named(entries, message):
    with pytest.raises(DebuggerValueError, match=message):
        HookConfig.from_document({"CollectionConfigurations": entries})


def test_a_collection_that_nobody_knows_is_told():
    config = HookConfig.from_document({"CollectionConfigurations": [{"CollectionName": "activations"}]})
    (problem,) = config.hook_collections().problems(config.included())
    assert "'activations' names no tensors" in str(problem)


def test_arguments_of_a_hook_in_all_their_shapes():
    config = HookConfig.from_arguments(
        out_dir="/out",
        save_config={TRAIN: SaveConfigMode(save_interval=3)},
        include_regex="relu",
        include_collections=["weights", ["biases", ["gradients"]]],
    )
    assert config.save_config == SaveConfig({TRAIN: SaveConfigMode(save_interval=3)})
    assert config.included() == ("weights", "biases", "gradients", "default")
    assert HookConfig.from_arguments(save_all=True).included() == ("all",)
    with pytest.raises(DebuggerTypeError, match="reduction_config 'min' is no ReductionConfig"):
        HookConfig.from_arguments(reduction_config="min")
    with pytest.raises(DebuggerValueError, match="include_workers 'none'"):
        HookConfig.from_arguments(include_workers="none")


@pytest.mark.parametrize("order", [1, -1])
def test_a_collection_that_a_rule_and_the_user_ask_for_is_saved_when_either_says(order):
    entries = [
        {"CollectionName": "gradients", "CollectionParameters": {"save_interval": "500"}},
        {"CollectionName": "gradients", "CollectionParameters": {"train.save_interval": "40"}},
    ][::order]
    config = HookConfig.from_document({"CollectionConfigurations": entries})
    collections = config.hook_collections()
    collections.select(config.included(), config.save_config, config.reduction_config)
    (gradients,) = collections.of("gradient/Net_fc.weight")
    due = [step for step in range(0, 1001, 20) if gradients.due(ModeKeys.TRAIN, step)]
    assert due == sorted({*range(0, 1001, 40), 500})
