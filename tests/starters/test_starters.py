import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sagehound
from tests.vision.images import encoded, picture, split_folders

PACKAGE = Path(sagehound.__file__).parent
STARTERS = PACKAGE / "starters"


def run(script: str, cwd: Path, *arguments: str, **variables: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE / "dropin"), "OMP_NUM_THREADS": "1", **variables}
    command = [sys.executable, str(STARTERS / script), "--image_size", "64", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_hpo_prints_the_metric_that_the_tuner_reads(tmp_path):
    split_folders(tmp_path / "photos")
    said = run("hpo.py", tmp_path, "--data", "photos", "--lr", "0.01", "--batch_size", "8", "--test-batch-size", "4")
    (loss,) = re.findall(r"Test set: Average loss: ([0-9\.]+)", said)
    assert float(loss) < 1.0986  # of a guess among three classes
    assert not (tmp_path / "model").exists()


def test_train_model_saves_what_inference_loads(tmp_path):
    split_folders(tmp_path / "channel")
    folders = {"SM_CHANNEL_TRAINING": str(tmp_path / "channel"), "SM_MODEL_DIR": str(tmp_path / "model")}
    said = run("train_model.py", tmp_path, "--lr", "0.01", "--batch_size", "8", "--epochs", "2", **folders)
    assert len(re.findall(r"Test set: Average loss: ([0-9\.]+)", said)) == 2
    code = """
import inference, io, json, sys
model = inference.model_fn(sys.argv[1])
image = inference.input_fn(open(sys.argv[2], "rb").read(), "image/jpeg")
print(json.dumps(inference.predict_fn(image, model).tolist()))
"""
    (tmp_path / "green.jpg").write_bytes(encoded(picture("green", 999)))
    environment = {**os.environ, "PYTHONPATH": f"{PACKAGE / 'dropin'}{os.pathsep}{STARTERS}"}
    command = [sys.executable, "-c", code, str(tmp_path / "model"), str(tmp_path / "green.jpg")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    (numbers,) = json.loads(done.stdout)
    assert numbers.index(max(numbers)) == 1, done.stderr


def test_inference_says_what_it_serves():
    spec = importlib.util.spec_from_file_location("starter_inference", STARTERS / "inference.py")
    from sagehound.vision import operators

    operators.install()
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(ValueError, match="not text/csv"):
        module.input_fn(b"1,2", "text/csv")
    assert module.input_fn(encoded(picture(), "PNG"), "image/png").size == (48, 40)


@pytest.mark.parametrize("script", ["hpo.py", "train_model.py", "inference.py"])
def test_they_are_short_and_need_no_sagehound(script):
    text = (STARTERS / script).read_text()
    assert "sagehound" not in text.lower()
    assert len(text.splitlines()) <= 130
