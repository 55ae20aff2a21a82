import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sagehound.vision import train
from sagehound.vision.fusion import Pooled
from sagehound.vision.inference import Classifier, read_image
from tests.vision.images import (
    CLOTHES,
    RESNET50_V1,
    class_folders,
    encoded,
    needs_clothes,
    needs_resnet,
    picture,
    split_folders,
)

SMALL = ("--image-size", "32", "--feature-cache", "none", "--image-cache", "none")


def run(folder: Path, out: Path, *arguments: str) -> int:
    where = ("--data", str(folder), "--model-dir", str(out / "model"), "--output-data-dir", str(out / "data"))
    return train.main([*where, *SMALL, *arguments], {})


def history(out: Path) -> dict[str, object]:
    return json.loads((out / "data" / "history.json").read_text())


def exported(out: Path):
    """The exported code, imported as an endpoint does; it is not sagehound's module."""
    spec = importlib.util.spec_from_file_location("served_inference", out / "model" / "code" / "inference.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_as_a_job_runs_it(tmp_path):
    split_folders(tmp_path / "channel")
    environment = {
        **os.environ,
        "SM_CHANNEL_TRAINING": str(tmp_path / "channel"),
        "SM_MODEL_DIR": str(tmp_path / "model"),
        "SM_OUTPUT_DATA_DIR": str(tmp_path / "data"),
        "SAGEHOUND_FEATURE_CACHE": str(tmp_path / "cache"),
        "OMP_NUM_THREADS": "1",
    }
    arguments = [
        "--batch_size",
        "32",
        "--epochs",
        "2",
        "--lr",
        "0.01",
        "--test-batch-size",
        "100",
        "--image-size",
        "32",
    ]
    command = [sys.executable, train.__file__, *arguments]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(re.findall(r"Test set: Average loss: ([0-9\.]+)", done.stdout)) == 1
    assert len(re.findall(r"Train epoch: .* Loss: ([0-9\.]+)", done.stdout)) == 2
    assert history(tmp_path)["test"]["accuracy"] > 0.6
    assert sorted(path.name for path in (tmp_path / "model").rglob("*") if path.is_file()) == [
        "classifier.json",
        "inference.py",
        "model.safetensors",
        "requirements.txt",
    ]


@pytest.mark.parametrize("recipe", [(), ("--augment",), ("--finetune", "all"), ("--finetune", "all", "--augment")])
def test_the_same_seed_gives_the_same_model_bit_for_bit(tmp_path, recipe):
    folder = split_folders(tmp_path / "photos")
    for name in ("a", "b"):
        assert run(folder, tmp_path / name, "--seed", "7", "--batch-size", "8", *recipe) == 0
    assert run(folder, tmp_path / "other", "--seed", "8", "--batch-size", "8", *recipe) == 0
    a, b, other = ((tmp_path / name / "model" / "model.safetensors").read_bytes() for name in ("a", "b", "other"))
    assert a == b != other
    assert history(tmp_path / "a")["train"] == history(tmp_path / "b")["train"]


@pytest.mark.parametrize("recipe", ["head", "all"])
def test_what_is_served_is_what_was_tested(tmp_path, recipe):
    folder = split_folders(tmp_path / "photos")
    assert run(folder, tmp_path, "--finetune", recipe, "--batch-size", "8") == 0
    served = exported(tmp_path)
    model = served.model_fn(str(tmp_path / "model"))
    tested = history(tmp_path)
    confusion = torch.zeros(3, 3, dtype=torch.int)
    losses = []
    for label, name in enumerate(tested["classes"]):
        for path in sorted((folder / "test" / name).iterdir()):
            image = served.input_fn(bytearray(path.read_bytes()), "image/jpeg")
            logits = served.predict_fn(image, model).logits
            confusion[label, int(logits.argmax(1))] += 1
            losses.append(float(torch.nn.functional.cross_entropy(logits, torch.tensor([label]))))
    assert confusion.tolist() == tested["test"]["confusion"]
    assert sum(losses) / len(losses) == pytest.approx(tested["test"]["loss"], abs=1e-4)


def test_the_exported_code_needs_no_sagehound(tmp_path):
    assert run(split_folders(tmp_path / "photos"), tmp_path) == 0
    (tmp_path / "photo.jpg").write_bytes(encoded(picture("green")))
    code = f"""
import sys
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "sagehound":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Nowhere())
sys.path.insert(0, {str(tmp_path / "model" / "code")!r})
import inference
model = inference.model_fn({str(tmp_path / "model")!r})
image = inference.input_fn(open({str(tmp_path / "photo.jpg")!r}, "rb").read(), "image/jpeg")
print(inference.output_fn(inference.predict_fn(image, model), "application/json;verbose=true"))
"""
    # The drop-in folder stands for a torchvision that is whole, as on AWS.
    environment = {**os.environ, "PYTHONPATH": str(Path(train.__file__).parents[1] / "dropin")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["label"] == "green", done.stderr


def test_dirty_photos_are_listed_and_the_rest_is_learned(tmp_path, capsys):
    folder = split_folders(tmp_path / "photos", train=8)
    for name in ("1.jpg", "2.jpg"):
        (folder / "train" / "red" / name).write_bytes(encoded(picture())[:200])
    (folder / "test" / "blue" / "0.jpg").write_bytes(b"")
    for recipe in ("head", "all"):
        assert run(folder, tmp_path / recipe, "--finetune", recipe) == 0
        listed = [Path(entry["path"]).name for entry in history(tmp_path / recipe)["skipped"]]
        assert sorted(listed) == ["0.jpg", "1.jpg", "2.jpg"]
        assert history(tmp_path / recipe)["test"]["photos"] == 8
    assert capsys.readouterr().out.count("Skipped") == 6


def test_one_class_ends_with_one_clear_line(tmp_path, capsys):
    (tmp_path / "train" / "only").mkdir(parents=True)
    (tmp_path / "test" / "only").mkdir(parents=True)
    assert run(tmp_path, tmp_path / "out") == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "out").exists()


def test_validation_is_reported_every_epoch(tmp_path):
    folder = split_folders(tmp_path / "photos")
    class_folders(folder / "valid", 2)
    assert run(folder, tmp_path, "--epochs", "3") == 0
    assert [entry["epoch"] for entry in history(tmp_path)["validation"]] == [1, 2, 3]


def test_a_held_out_share_is_told_and_reported_every_epoch(tmp_path, capsys):
    folder = class_folders(tmp_path / "photos", 10)
    assert run(folder, tmp_path, "--epochs", "2", "--validation_share", "0.25") == 0
    assert [entry["epoch"] for entry in history(tmp_path)["validation"]] == [1, 2]
    assert "3 classes, photos: 18 to train, 6 to validate, 6 to test" in capsys.readouterr().out


def few_clothes(root: Path) -> Path:
    for split, count in (("train", 6), ("test", 4)):
        for name in ("hat", "shoes"):
            (root / split / name).mkdir(parents=True)
            for path in sorted((CLOTHES / split / name).iterdir())[:count]:
                (root / split / name / path.name).symlink_to(path)
    return root


@needs_clothes
def test_real_photos_are_told_apart_and_served_alike(tmp_path):
    folder = few_clothes(tmp_path / "clothes")
    assert run(folder, tmp_path, "--image-size", "128", "--lr", "0.003", "--batch-size", "4") == 0
    assert history(tmp_path)["test"]["accuracy"] >= 0.75
    served = exported(tmp_path)
    model = served.model_fn(str(tmp_path / "model"))
    photo = next((folder / "test" / "hat").iterdir())
    image = read_image(photo.read_bytes())
    ours = Pooled(model.network)(
        served.build_transform(model.description)(image).unsqueeze(0)
    ) @ model.network.get_parameter("classifier.weight").T + model.network.get_parameter("classifier.bias")
    assert torch.allclose(ours, served.predict_fn(image, model).logits, atol=1e-5)
    assert not isinstance(model, Classifier)


@needs_clothes
@needs_resnet
def test_resnet50_v1_from_its_file(tmp_path):
    folder = few_clothes(tmp_path / "clothes")
    weights = ("--model", "resnet50_v1", "--weights", str(RESNET50_V1))
    assert run(folder, tmp_path, *weights, "--image-size", "160", "--batch-size", "4", "--lr", "0.003") == 0
    assert history(tmp_path)["test"]["accuracy"] >= 0.75
    assert exported(tmp_path).model_fn(str(tmp_path / "model")).description.stride_in_conv1


def test_a_job_that_asks_for_tensors_gets_the_loss_of_training_and_evaluation(tmp_path):
    from sagehound.debug import create_trial, modes

    split_folders(tmp_path / "photos")
    ask = {"LocalPath": str(tmp_path / "tensors"), "HookParameters": {"save_interval": "1"}}
    (tmp_path / "hook.json").write_text(json.dumps(ask | {"CollectionConfigurations": [{"CollectionName": "weights"}]}))
    where = ["--data", "photos", "--model-dir", "model", "--output-data-dir", "data"]
    command = [sys.executable, train.__file__, *where, *SMALL, "--epochs", "2", "--batch-size", "4"]
    environment = {**os.environ, "SMDEBUG_CONFIG_FILE_PATH": str(tmp_path / "hook.json"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    trial = create_trial(str(tmp_path / "tensors"))
    assert trial.tensor_names() == ["CrossEntropyLoss_output_0", "Linear_weight"]
    loss = trial.tensor("CrossEntropyLoss_output_0")
    saved = [float(loss.value(step, mode=modes.TRAIN)) for step in loss.steps(mode=modes.TRAIN)]
    assert saved == pytest.approx([entry["loss"] for entry in history(tmp_path)["train"]])
    assert len(loss.steps(mode=modes.EVAL)) >= 2


def test_a_profiler_sees_the_wait_for_each_batch(tmp_path):
    from sagehound.profile import profile_training

    split_folders(tmp_path / "photos")
    with profile_training(tmp_path / "profile"):
        assert run(tmp_path / "photos", tmp_path, "--finetune", "all", "--epochs", "1", "--batch-size", "4") == 0
    files = [json.loads(path.read_text()) for path in (tmp_path / "profile").rglob("*timeline.json")]
    names = [event["name"] for events in files for event in events if event["ph"] == "X"]
    steps = [name for name in names if name.startswith("Step:")]
    assert {"Step:ModeKeys.TRAIN", "Step:ModeKeys.EVAL"} == set(steps)
    assert names.count("loader") == len(steps)


def test_views_of_photos_are_computed_once_for_all_seeds(tmp_path, capsys):
    folder = split_folders(tmp_path / "photos")
    cache = ("--feature-cache", str(tmp_path / "cache"), "--augment", "--views", "3", "--batch-size", "8")
    for seed in ("1", "2"):
        assert run(folder, tmp_path / seed, *cache, "--seed", seed, "--epochs", "3") == 0
    first, second = capsys.readouterr().out.split("Model in ")[:2]
    assert first.count("computed") == 4
    assert second.count("computed") == 0
    assert "Features of 18 photos, view 2: found in the cache" in second
    assert history(tmp_path / "1")["train"] != history(tmp_path / "2")["train"]


def test_the_cache_and_the_threads_do_not_change_the_model(tmp_path):
    folder = split_folders(tmp_path / "photos")
    before = torch.get_num_threads()
    for name, threads, cache in (("a", 1, "none"), ("b", 3, "none"), ("c", 2, "cache"), ("d", 1, "cache")):
        torch.set_num_threads(threads)
        options = ("--augment", "--batch-size", "8")
        where = "none" if cache == "none" else str(tmp_path / "cache")
        assert run(folder, tmp_path / name, *options, "--feature-cache", where) == 0
    torch.set_num_threads(before)
    assert len({(tmp_path / name / "model" / "model.safetensors").read_bytes() for name in "abcd"}) == 1


def test_bf16_can_be_asked_for(tmp_path):
    folder = split_folders(tmp_path / "photos")
    for precision in ("fp32", "bf16"):
        assert run(folder, tmp_path / precision, "--precision", precision, "--epochs", "4", "--batch-size", "4") == 0
    fp32, bf16 = (history(tmp_path / name) for name in ("fp32", "bf16"))
    assert fp32["train"] != bf16["train"]
    assert fp32["test"]["loss"] == pytest.approx(bf16["test"]["loss"], rel=0.2)
