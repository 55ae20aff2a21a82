"""An endpoint's round trip, as a ratio of what there is to compare it with, side by side in one run.

    python benchmarks/endpoint.py [--rounds 400] [--pictures 60]

1. A handler that returns at once, through the whole service (signature, parsing, worker process), against a bare
   Starlette route, both called by the same boto3 client by turns. Target: at most 1.5.
2. EfficientNet-Lite0 on a JPEG through the endpoint's defaults, against the same model called in this process on
   decoded pixels plus the decode, with as many threads. Target: at most 1.15.

Medians count.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagehound.address import load_address

TRIVIAL = """
def model_fn(model_dir):
    return None

def transform_fn(model, body, content_type, accept):
    return b"[[0.5, 0.5]]", "application/json"
"""
CLASSIFIER = """
import timm

def model_fn(model_dir):
    return timm.create_model("tf_efficientnet_lite0").eval()
"""
TARGET_TRIVIAL, TARGET_MODEL = 1.5, 1.15
ROLE = "arn:aws:iam::000000000000:role/service-role/local-role"


def bare_server() -> None:
    """One Starlette route under uvicorn, at the path that boto3 calls."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def invocations(request: Request) -> Response:
        await request.body()
        return Response(b"[[0.5, 0.5]]", media_type="application/json")

    app = Starlette(routes=[Route("/endpoints/{name}/invocations", invocations, methods=["POST"])])
    config = uvicorn.Config(app, port=0, log_level="warning", access_log=False, lifespan="off")
    listener = config.bind_socket()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def bare() -> Iterator[str]:
    """The bare server in a process of its own; its address."""
    process = subprocess.Popen([sys.executable, __file__, "--bare"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


@contextmanager
def service(home: Path) -> Iterator[str]:
    """The service of `home`, started as its users do; its address."""
    sagehound = [sys.executable, "-m", "sagehound.cli"]
    environment = {**os.environ, "SAGEHOUND_HOME": str(home)}
    subprocess.run([*sagehound, "up", "--detach", "--port", "0"], env=environment, check=True)
    try:
        yield load_address(home).endpoint
    finally:
        subprocess.run([*sagehound, "down"], env=environment, check=True)


def clients(home: Path, endpoint: str) -> dict[str, Any]:
    import boto3
    from botocore.config import Config

    from sagehound.keys import load_keys

    keys = load_keys(home)
    config = Config(retries={"total_max_attempts": 1})
    shared = {
        "region_name": "us-east-1",
        "aws_access_key_id": keys.access_key,
        "aws_secret_access_key": keys.secret_key,
        "config": config,
    }
    return {name: boto3.client(name, endpoint_url=endpoint, **shared) for name in ("sagemaker", "sagemaker-runtime")}


def deploy(sagemaker: Any, home: Path, name: str, code: str) -> None:
    """A model of one inference.py in the embedded store's own folder, and its endpoint in service."""
    folder = home / "s3" / "models" / name
    folder.mkdir(parents=True)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("code/inference.py")
        info.size = len(code.encode())
        tar.addfile(info, io.BytesIO(code.encode()))
    container = {"Image": "pytorch-inference:2.1-cpu-py310", "ModelDataUrl": f"s3://models/{name}/model.tar.gz"}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    while (status := sagemaker.describe_endpoint(EndpointName=name))["EndpointStatus"] == "Creating":
        time.sleep(0.1)
    assert status["EndpointStatus"] == "InService", status.get("FailureReason")


def by_turns(rounds: int, **calls: Callable[[], object]) -> dict[str, float]:
    """Median seconds of each call, made by turns so that the machine's other work hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(rounds + 10):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            if round_ >= 10:
                times[name].append(time.perf_counter() - begun)
    return {name: statistics.median(taken) for name, taken in times.items()}


def trivial(runtime: Any, bare: Any, rounds: int) -> dict[str, float]:
    def call(client: Any) -> None:
        client.invoke_endpoint(EndpointName="trivial", Body=b"x" * 1000, ContentType="image/jpeg")["Body"].read()

    return by_turns(rounds, bare=lambda: call(bare), endpoint=lambda: call(runtime))


def classifier(runtime: Any, rounds: int) -> dict[str, float]:
    import numpy as np
    import torch
    from PIL import Image

    from sagehound.serve import images
    from sagehound.vision import operators

    operators.install()  # or else timm cannot be imported beside a CPU build of torch
    import timm

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    noise = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).resize((500, 400)).save(stream, "JPEG", quality=90)
    picture, model = stream.getvalue(), timm.create_model("tf_efficientnet_lite0").eval()
    pixels = torch.from_numpy(images.pixels(images.decode(picture), model.pretrained_cfg))

    def in_process() -> None:
        images.pixels(images.decode(picture), model.pretrained_cfg)
        with torch.inference_mode():
            model(pixels)

    def endpoint() -> None:
        runtime.invoke_endpoint(EndpointName="classifier", Body=picture, ContentType="image/jpeg")["Body"].read()

    return by_turns(rounds, bare=in_process, endpoint=endpoint)


def show(name: str, times: dict[str, float], target: float) -> dict[str, object]:
    ratio = times["endpoint"] / times["bare"]
    print(f"{name:<28}{times['bare'] * 1e3:>10.2f}{times['endpoint'] * 1e3:>12.2f}{ratio:>8.2f}{target:>8.2f}")
    return {"case": name, "bare_s": times["bare"], "endpoint_s": times["endpoint"], "ratio": ratio, "target": target}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=400, help="calls of the trivial handler")
    parser.add_argument("--pictures", type=int, default=60, help="calls of the classifier")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, bare() as other, service(Path(folder)) as address:
        home = Path(folder)
        ours, theirs = clients(home, address), clients(home, other)
        deploy(ours["sagemaker"], home, "trivial", TRIVIAL)
        results = [
            (
                "handler that returns at once",
                trivial(ours["sagemaker-runtime"], theirs["sagemaker-runtime"], options.rounds),
            )
        ]
        deploy(ours["sagemaker"], home, "classifier", CLASSIFIER)
        results.append(("EfficientNet-Lite0, a JPEG", classifier(ours["sagemaker-runtime"], options.pictures)))
    print(f"{'median of a call':<28}{'bare, ms':>10}{'endpoint, ms':>12}{'ratio':>8}{'target':>8}")
    targets = (TARGET_TRIVIAL, TARGET_MODEL)
    print(json.dumps([show(name, times, target) for (name, times), target in zip(results, targets, strict=True)]))


if __name__ == "__main__":
    bare_server() if sys.argv[1:] == ["--bare"] else main()
