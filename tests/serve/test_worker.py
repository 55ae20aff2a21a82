"""Worker processes over inference.py files as users write them."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.serve.workers import load_fails, worker, write

TORCH_MODEL_FN = """
import torch

def model_fn(model_dir):
    model = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten(), torch.nn.Linear(12, 3))
    torch.nn.init.ones_(model[2].weight)
    torch.nn.init.zeros_(model[2].bias)
    return model
"""
SEED_INPUT_FN = """
import io
from PIL import Image
import numpy as np

def input_fn(request_body, content_type="image/jpeg"):
    print("got", type(request_body).__name__, content_type)
    assert content_type == "image/jpeg"
    image = Image.open(io.BytesIO(request_body)).convert("RGB").resize((8, 8))
    return torch.from_numpy(np.asarray(image, dtype=np.float32).transpose(2, 0, 1)[None] / 255)
"""


def _jpeg(size: tuple[int, int] = (40, 30), kind: str = "JPEG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (255, 255, 255)).save(stream, kind)
    return stream.getvalue()


def test_only_model_fn_and_input_fn_as_the_seed_has_them(tmp_path: Path) -> None:
    model = write(tmp_path / "model", {"code/inference.py": TORCH_MODEL_FN + SEED_INPUT_FN})
    with worker(model) as served:
        answer = served.invoke(_jpeg(), "image/jpeg")
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert np.argmax(json.loads(answer.body), 1).shape == (1,)
        assert json.loads(answer.body)[0] == pytest.approx([12, 12, 12])
        served.output_until("got bytearray image/jpeg")
        assert served.ask("GET", "/ping").status == 200
        assert served.ask("GET", "/elsewhere").status == 404


def test_only_model_fn_takes_images_and_arrays(tmp_path: Path) -> None:
    model = write(tmp_path / "model", {"code/inference.py": TORCH_MODEL_FN})
    with worker(model) as served:
        for kind, form in [("image/jpeg", "JPEG"), ("image/png", "PNG"), ("application/x-image", "PNG")]:
            answer = served.invoke(_jpeg((300, 400), form), kind)
            assert (answer.status, np.array(json.loads(answer.body)).shape) == (200, (1, 3)), answer.text
        stream = io.BytesIO()
        np.save(stream, np.ones((2, 3, 4, 4), dtype=np.float32))
        answer = served.invoke(stream.getvalue(), "application/x-npy", "application/x-npy")
        assert np.load(io.BytesIO(answer.body)).tolist() == [[12, 12, 12]] * 2
        body = json.dumps(np.ones((1, 3, 2, 2)).tolist()).encode()
        assert served.invoke(body, "application/json", "text/csv").text == "12.0,12.0,12.0\n"


def test_bad_input_of_the_defaults(tmp_path: Path) -> None:
    model = write(tmp_path / "model", {"code/inference.py": TORCH_MODEL_FN})
    with worker(model) as served:
        whole = _jpeg((200, 200))
        for body, kind, status, text in [
            (whole[: len(whole) // 2], "image/jpeg", 400, "cut off"),
            (b"no image", "image/png", 400, "not an image"),
            (_bomb(), "image/png", 400, "the limit is"),
            (b"{", "application/json", 400, "not JSON"),
            (b"[[1], [1, 2]]", "application/json", 400, "not an array"),
            (b"a,b", "text/csv", 400, "not numbers"),
            (b"\x93NUMPY\x01\x00", "application/x-npy", 400, "not an NPY"),
            (b"x", "text/html", 415, "application/x-image"),
            (b"x", "", 415, "application/octet-stream"),
        ]:
            answer = served.invoke(body, kind)
            assert answer.status == status, answer
            assert text in answer.text
        answer = served.invoke(_jpeg(), "image/jpeg", "image/webp")
        assert (answer.status, "text/csv" in answer.text) == (415, True)
        assert served.invoke(_jpeg(), "image/jpeg").status == 200


def _bomb() -> bytes:
    """A PNG of 60,000 by 60,000 in a few bytes: its header says so."""
    stream = io.BytesIO()
    Image.new("1", (1, 1)).save(stream, "PNG")
    data = bytearray(stream.getvalue())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def test_transform_fn_with_context_and_print(tmp_path: Path) -> None:
    code = """
import json, logging
def model_fn(model_dir, context):
    print("model_fn", context.system_properties["model_dir"] == model_dir)
    return {"k": 1}
def transform_fn(model, request_body, content_type, accept, context):
    print("transform_fn", type(request_body).__name__)
    context.set_response_content_type(0, "application/vnd.dogs+json")
    context.set_response_status(201)
    return json.dumps([model["k"], content_type, accept, context.get_request_header(0, "X-Trace")])
"""
    with worker(write(tmp_path / "model", {"code/inference.py": code})) as served:
        answer = served.invoke(b"{}", "application/json", "", **{"X-Trace": "t1"})
        assert (answer.status, answer.content_type) == (201, "application/vnd.dogs+json")
        assert json.loads(answer.body) == [1, "application/json", "application/json", "t1"]
        output = served.output_until("transform_fn str")
        assert "model_fn True" in output


def test_a_training_script_serves_without_training(tmp_path: Path) -> None:
    code = TORCH_MODEL_FN + "\ndef main():\n    raise SystemExit('trained again')\n\n"
    code += 'if __name__ == "__main__":\n    main()\n'
    model = write(tmp_path / "model", {"code/train_model.py": code, "code/helper.py": ""})
    environment = {"SAGEMAKER_PROGRAM": "train_model.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    with worker(model, environment) as served:
        assert served.invoke(_jpeg(), "image/jpeg").status == 200


def test_exceptions_name_the_users_line(tmp_path: Path) -> None:
    code = """
from helper import label
def model_fn(model_dir):
    return 1
def predict_fn(data, model):
    return label(data)
def input_fn(body, content_type):
    if body == b"exit":
        raise SystemExit("bye")
    return body
"""
    files = {"code/inference.py": code, "code/helper.py": "def label(data):\n    return {}['dog']\n"}
    with worker(write(tmp_path / "model", files)) as served:
        answer = served.invoke(b"x", "image/jpeg")
        assert (answer.status, answer.text) == (500, "KeyError: 'dog' (helper.py, line 2, in label)")
        assert "Traceback" in served.output_until("KeyError")
        assert served.invoke(b"exit", "image/jpeg").text.startswith("SystemExit: bye")
        assert served.ask("GET", "/ping").status == 200


def test_ping_answers_while_the_users_code_runs(tmp_path: Path) -> None:
    """The handler waits for a pipe that is written only after the ping."""
    reader, writer = tmp_path / "reader", tmp_path / "writer"
    os.mkfifo(reader)
    os.mkfifo(writer)
    code = f"""
def model_fn(model_dir):
    return 1
def transform_fn(model, body, content_type, accept):
    open({str(writer)!r}, "w").write("started")
    return open({str(reader)!r}).read()
"""
    from concurrent.futures import ThreadPoolExecutor

    with worker(write(tmp_path / "model", {"code/inference.py": code})) as served, ThreadPoolExecutor(1) as thread:
        pending = thread.submit(served.invoke, b"x", "image/jpeg")
        assert writer.read_text() == "started"
        assert served.ask("GET", "/ping").status == 200
        reader.write_text("go")
        assert pending.result().text == "go"


def test_load_failures(tmp_path: Path) -> None:
    broken = "def model_fn(model_dir):\n    import json\n    return json.loads('')\n"
    for number, (files, environment, reason) in enumerate(
        [
            ({"code/inference.py": broken}, {}, "(model/code/inference.py, line 3, in model_fn)"),
            ({"weights.safetensors": "", "labels.json": ""}, {}, "found labels.json, weights.safetensors"),
            ({"model.pth": "weights"}, {}, "model.pth is not TorchScript"),
            ({"code/a.py": ""}, {"SAGEMAKER_PROGRAM": "b.py"}, "has a.py"),
            (
                {"code/inference.py": "def transform_fn(m, b, c, a): ...\ndef input_fn(b, c): ..."},
                {},
                "transform_fn and",
            ),
            ({"code/inference.py": "def model_fn(): ...\n"}, {}, "def model_fn(model_dir)"),
            ({"code/inference.py": "async def model_fn(model_dir): ...\n"}, {}, "is async"),
            ({"code/inference.py": "import sys\nsys.exit(3)\n"}, {}, "SystemExit: 3"),
        ]
    ):
        model = write(tmp_path / str(number) / "model", files)
        said, output = load_fails(model, environment)
        assert reason in said
        assert output.strip().splitlines()[-1] == said.splitlines()[-1]


def test_torchscript_by_default(tmp_path: Path) -> None:
    make = """
import sys, torch
model = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
torch.jit.trace(model, torch.zeros(1, 3, 4, 4)).save(sys.argv[1])
"""
    (tmp_path / "model").mkdir()
    subprocess.run([sys.executable, "-W", "ignore", "-c", make, str(tmp_path / "model" / "model.pt")], check=True)
    with worker(tmp_path / "model") as served:
        answer = served.invoke(_jpeg(), "image/jpeg")
        white = [[pytest.approx((1 - mean) / std, rel=1e-4) for mean, std in _IMAGENET]]
        assert (answer.status, json.loads(answer.body)) == (200, white)


_IMAGENET = [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]


def test_plain_models_need_no_torch(tmp_path: Path) -> None:
    code = """
import sys
class Doubler:
    def predict(self, data):
        return data * 2 if "torch" not in sys.modules else "torch was imported"
def model_fn(model_dir):
    return Doubler()
"""
    with worker(write(tmp_path / "model", {"code/inference.py": code})) as served:
        assert served.invoke(b"1,2\n3,4\n", "text/csv", "text/csv").text == "2.0,4.0\n6.0,8.0\n"
        assert json.loads(served.invoke(b'{"instances": [1]}', "application/json").body) == [2.0]


def test_sigterm_lets_the_worker_end(tmp_path: Path) -> None:
    code = "def model_fn(model_dir):\n    return 1\n"
    with worker(write(tmp_path / "model", {"code/inference.py": code})) as served:
        assert served.ask("GET", "/ping").status == 200
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(timeout=60)


def test_worker_ends_with_its_parent(tmp_path: Path) -> None:
    """A parent that is killed takes the worker with it: the pipe that the worker holds closes."""
    code = "def model_fn(model_dir):\n    print('loaded', flush=True)\n    return 1\n"
    model = write(tmp_path / "model", {"code/inference.py": code})
    parent = """
import os, subprocess, sys, time
argv = [sys.executable, "-m", "sagehound.serve.worker", "--port", "0", "--parent", str(os.getpid()), "--model-dir"]
subprocess.Popen([*argv, sys.argv[1]])
time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", parent, str(model)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loaded\n"
        process.kill()
        assert process.stdout.read() == ""
