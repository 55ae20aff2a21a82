"""Endpoints from their records to the answers of real worker processes."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from sagehound.errors import InvalidInput, NotFound
from sagehound.jobs.cores import usable_cores
from sagehound.names import S3Uri
from sagehound.records.invocation import Invocation
from sagehound.records.serving import Endpoint, EndpointConfig, EndpointStatus, Model, Variant
from tests.control.endpoint_house import ECHO, House, alive, pack, wheel

_REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_create_invoke_delete(house: House) -> None:
    house.echo("dogs")
    house.config("dogs", Variant(name="AllTraffic", model="dogs"))
    house.endpoint("dogs", "dogs")

    async def story() -> None:
        async with house.running():
            record = await house.settled("dogs")
            assert (record.status, record.failure_reason) == (EndpointStatus.IN_SERVICE, "")
            reply = await house.say("dogs")
            text, pid = reply.body.decode().rsplit(":", 1)
            assert (reply.status, text, reply.content_type, reply.variant) == (
                200,
                "dogs:hello",
                "text/plain",
                "AllTraffic",
            )
            house.set("dogs", EndpointStatus.DELETING)
            await house.until(lambda: not house.exists("dogs"))
            assert not alive(int(pid))
            assert {path.suffix for path in (house.folder / "dogs").iterdir()} <= {".log"}
            with pytest.raises(NotFound):
                await house.say("dogs")

    _run(story())


def test_model_is_at_the_literal_path_and_the_log_has_its_lines(house: House) -> None:
    code = """
import os, sys
print("importing", flush=True)
def model_fn(model_dir):
    print("loading from", model_dir, file=sys.stderr)
    return open("/opt/ml/model/weights.txt" if model_dir == "/opt/ml/model" else model_dir + "/weights.txt").read()
def transform_fn(model, body, content_type, accept, context):
    return model + str(context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes")), accept
"""
    house.model("m", {"code/inference.py": code, "weights.txt": "w"})
    house.config("m", Variant(name="v", model="m"))
    house.endpoint("m", "m")

    async def story() -> None:
        async with house.running():
            assert (await house.settled("m")).failure_reason == ""
            reply = await house.say("m", headers={"X-Amzn-SageMaker-Custom-Attributes": "trace=1\r\nx: y"})
            assert reply.body == b"wtrace=1  x: y"
            assert "importing\nloading from /" in house.log("m", "v-1")

    _run(story())


BROKEN = "import os\n\ndef model_fn(model_dir):\n    weights = {}\n    return weights['fc']\n"


@pytest.mark.parametrize(
    ("files", "environment", "reason"),
    [
        ({"code/inference.py": BROKEN}, {}, "KeyError: 'fc' (model/code/inference.py, line 5, in model_fn)"),
        ({"code/inference.py": "def model_fn(:\n"}, {}, "SyntaxError: invalid syntax (inference.py, line 1)"),
        ({"code/inference.py": "import no_such_module_at_all\n"}, {}, "No module named 'no_such_module_at_all'"),
        ({"code/inference.py": "import os\nos._exit(3)\n"}, {}, "exit code 3"),
        ({"code/inference.py": "import sys\nsys.exit(2)\n"}, {}, "SystemExit: 2"),
        ({"weights.bin": "x"}, {}, "no model_fn"),
        ({"code/other.py": ""}, {"SAGEMAKER_PROGRAM": "serve_me.py"}, "'serve_me.py'"),
        ({"../escape": "x"}, {}, "leaves the folder"),
    ],
)
def test_failed_load_says_why(house: House, files: dict[str, str], environment: dict[str, str], reason: str) -> None:
    house.model("bad", files, environment)
    house.config("bad", Variant(name="v", model="bad"))
    house.endpoint("bad", "bad")

    async def story() -> None:
        async with house.running():
            record = await house.settled("bad")
            assert record.status is EndpointStatus.FAILED
            assert reason in record.failure_reason
            with pytest.raises(InvalidInput, match="Failed"):
                await house.say("bad")

    _run(story())


@pytest.mark.parametrize(
    ("uri", "reason"), [("s3://models/none.tar.gz", "s3://models/none.tar.gz"), ("s3://models/text.tar.gz", "tar")]
)
def test_missing_and_damaged_archives(house: House, uri: str, reason: str) -> None:
    (house.root / "text").write_text("no archive")
    house.objects.put(house.root / "text", S3Uri("models", "text.tar.gz"))
    house.record_model("bad", uri)
    house.config("bad", Variant(name="v", model="bad"))
    house.endpoint("bad", "bad")

    async def story() -> None:
        async with house.running():
            record = await house.settled("bad")
            assert record.status is EndpointStatus.FAILED
            assert reason in record.failure_reason
            assert [path for path in (house.folder / "bad").iterdir() if path.is_dir()] == []

    _run(story())


def test_startup_timeout(house: House) -> None:
    house.model("slow", {"code/inference.py": "import time\ndef model_fn(d):\n    time.sleep(600)\n"})
    house.config("slow", Variant(name="v", model="slow", startup_timeout_s=1))
    house.endpoint("slow", "slow")

    async def story() -> None:
        async with house.running():
            record = await house.settled("slow")
            assert record.status is EndpointStatus.FAILED
            assert "within 1 s" in record.failure_reason

    _run(story())


def test_variants_by_weight_and_by_name_and_instances(house: House) -> None:
    house.echo("a", "b", "c")
    house.config(
        "mix",
        Variant(name="a", model="a", instances=2, weight=1),
        Variant(name="b", model="b", weight=1),
        Variant(name="c", model="c", weight=0),
    )
    house.endpoint("mix", "mix")

    async def story() -> None:
        async with house.running():
            assert (await house.settled("mix")).failure_reason == ""
            replies = [await house.say("mix") for _ in range(60)]
            assert {reply.variant for reply in replies} == {"a", "b"}
            assert len({reply.body.rsplit(b":")[-1] for reply in replies if reply.variant == "a"}) == 2
            assert (await house.say("mix", variant="c")).body.startswith(b"c:")
            with pytest.raises(InvalidInput, match="a, b, c"):
                await house.say("mix", variant="d")

    _run(story())


def test_exception_of_the_handler_is_a_reply(house: House) -> None:
    code = "def model_fn(d):\n    return 1\ndef input_fn(body, kind):\n    raise ValueError('not a dog')\n"
    house.model("m", {"code/inference.py": code})
    house.config("m", Variant(name="v", model="m"))
    house.endpoint("m", "m")

    async def story() -> None:
        async with house.running():
            await house.settled("m")
            reply = await house.say("m")
            assert (reply.status, reply.body) == (500, b"ValueError: not a dog (inference.py, line 4, in input_fn)")
            assert "Traceback" in house.log("m", "v-1")

    _run(story())


def test_update_drops_no_request(house: House) -> None:
    house.echo("old", "new")
    house.config("old", Variant(name="v", model="old"))
    house.config("new", Variant(name="v", model="new"))
    house.endpoint("e", "old")

    async def story() -> None:
        async with house.running():
            await house.settled("e")
            house.set("e", EndpointStatus.UPDATING, wanted="new")
            seen: list[bytes] = []
            while not seen or house.store.get(Endpoint, "e").status is not EndpointStatus.IN_SERVICE:
                replies = await asyncio.gather(*(house.say("e") for _ in range(5)))
                assert {reply.status for reply in replies} == {200}
                seen += [reply.body for reply in replies]
            assert seen[0].startswith(b"old:")
            assert (await house.say("e")).body.startswith(b"new:")
            record = house.store.get(Endpoint, "e")
            assert (record.config, record.wanted) == ("new", "")
            pid = int(seen[0].rsplit(b":")[-1])
            await house.until(lambda: not alive(pid))
            await house.until(lambda: [path.name for path in (house.folder / "e").iterdir() if path.is_dir()] == ["2"])

    _run(story())


def test_failed_update_keeps_the_old_one(house: House) -> None:
    house.echo("old")
    house.model("bad", {"code/inference.py": BROKEN})
    house.config("old", Variant(name="v", model="old"))
    house.config("bad", Variant(name="v", model="bad"))
    house.endpoint("e", "old")

    async def story() -> None:
        async with house.running():
            await house.settled("e")
            house.set("e", EndpointStatus.UPDATING, wanted="bad")
            record = await house.settled("e")
            assert (record.status, record.config, record.wanted) == (EndpointStatus.IN_SERVICE, "old", "")
            assert "KeyError" in record.failure_reason
            assert (await house.say("e")).body.startswith(b"old:")

    _run(story())


def test_a_worker_that_dies_is_replaced(house: House) -> None:
    house.echo("m")
    house.config("m", Variant(name="v", model="m"))
    house.endpoint("m", "m")

    async def story() -> None:
        async with house.running():
            await house.settled("m")
            pid = int((await house.say("m")).body.rsplit(b":")[-1])
            os.kill(pid, signal.SIGKILL)
            await house.until(lambda: not alive(pid))
            reply = await house.say("m")
            assert reply.status == 200
            assert int(reply.body.rsplit(b":")[-1]) != pid
            assert "the worker ended (signal SIGKILL)" in house.log("m", "v-1")

    _run(story())


def test_death_in_hand_is_one_clear_error(house: House) -> None:
    code = "import os\ndef model_fn(d):\n    return 1\ndef transform_fn(m, body, kind, accept):\n"
    code += "    if body == b'die': os._exit(9)\n    return b'ok'\n"
    house.model("m", {"code/inference.py": code})
    house.config("m", Variant(name="v", model="m"))
    house.endpoint("m", "m")

    async def story() -> None:
        async with house.running():
            await house.settled("m")
            replies = await asyncio.gather(*(house.say("m", text) for text in ("die", "live", "live")))
            assert [reply.status for reply in replies] == [500, 200, 200]
            assert b"exit code 9" in replies[0].body

    _run(story())


def test_slow_handler_times_out_and_its_worker_is_replaced(house: House) -> None:
    code = "import time\ndef model_fn(d):\n    return 1\ndef transform_fn(m, body, kind, accept):\n"
    code += "    if body == b'sleep': time.sleep(600)\n    return b'ok'\n"
    house.model("m", {"code/inference.py": code}, {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "1"})
    house.config("m", Variant(name="v", model="m"))
    house.endpoint("m", "m")

    async def story() -> None:
        async with house.running():
            await house.settled("m")
            assert (await house.say("m", "sleep")).status == 504
            assert (await house.say("m", "next")).body == b"ok"

    _run(story())


def test_endpoints_come_back_without_their_records_and_objects(house: House) -> None:
    house.echo("m")
    house.config("m", Variant(name="v", model="m"))
    house.endpoint("m", "m")

    async def first() -> None:
        async with house.running():
            await house.settled("m")

    async def second() -> None:
        async with house.running():
            assert (await house.say("m")).body.startswith(b"m:hello")
        assert house.store.get(Endpoint, "m").status is EndpointStatus.IN_SERVICE

    _run(first())
    house.store.delete(Model, "m")
    house.store.delete(EndpointConfig, "m")
    (house.root / "s3" / "models" / "m" / "model.tar.gz").unlink()
    _run(second())


def test_unfinished_work_is_taken_up(house: House) -> None:
    house.echo("m", "n")
    for name in ("m", "n"):
        house.config(name, Variant(name="v", model=name))
    for name in ("gone", "moving"):
        house.endpoint(name, "m")

    async def first() -> None:
        async with house.running():
            await house.settled("moving")
            await house.settled("gone")

    async def second() -> None:
        async with house.running():
            assert (await house.settled("moving")).config == "n"
            assert (await house.say("moving")).body.startswith(b"n:")
            await house.until(lambda: not house.exists("gone"))

    _run(first())
    house.set("moving", EndpointStatus.UPDATING, wanted="n")
    house.set("gone", EndpointStatus.DELETING)
    _run(second())


def test_headers_go_in_and_come_out(house: House) -> None:
    code = "def model_fn(d): return 1\n"
    code += "def transform_fn(m, b, c, a, context):\n"
    code += "    given = context.get_request_header(0, 'X-Amzn-SageMaker-Custom-Attributes')\n"
    code += "    context.set_response_header(0, 'X-Amzn-SageMaker-Custom-Attributes', f'{given}\\nset-cookie: x')\n"
    code += "    context.set_response_header(0, 'Server', 'mine')\n"
    code += "    return b'ok'\n"
    house.model("dogs", {"code/inference.py": code})
    house.config("dogs", Variant(name="v", model="dogs"))
    house.endpoint("dogs", "dogs")

    async def story() -> None:
        async with house.running() as loop:
            await house.settled("dogs")
            headers = {"X-Amzn-SageMaker-Custom-Attributes": "trace=1"}
            reply = await loop.invoke(Invocation(endpoint="dogs", body=b"x", headers=headers))
            assert (reply.status, reply.body) == (200, b"ok")
            assert reply.headers == {"x-amzn-sagemaker-custom-attributes": "trace=1 set-cookie: x"}

    _run(story())


def test_delete_while_creating(house: House) -> None:
    house.model(
        "slow",
        {"code/inference.py": "import time\ndef model_fn(d):\n    print('in', flush=True)\n    time.sleep(600)\n"},
    )
    house.config("slow", Variant(name="v", model="slow"))
    house.endpoint("slow", "slow")

    async def story() -> None:
        async with house.running():
            await house.until(lambda: (house.folder / "slow" / "v-1.log").exists() and "in" in house.log("slow", "v-1"))
            with pytest.raises(InvalidInput, match="Creating"):
                await house.say("slow")
            house.set("slow", EndpointStatus.DELETING)
            await house.until(lambda: not house.exists("slow"))
            assert [path.name for path in (house.folder / "slow").iterdir()] == ["v-1.log"]
            assert "in" in house.log("slow", "v-1")

    _run(story())


def test_code_from_a_source_archive_in_s3(house: House) -> None:
    pack(house.root / "code.tar.gz", {"serve_me.py": ECHO})
    house.objects.put(house.root / "code.tar.gz", S3Uri("code", "sourcedir.tar.gz"))
    environment = {"SAGEMAKER_PROGRAM": "serve_me.py", "SAGEMAKER_SUBMIT_DIRECTORY": "s3://code/sourcedir.tar.gz"}
    house.model("m", {"weights.txt": "from s3"}, environment)
    house.config("m", Variant(name="v", model="m"))
    house.endpoint("m", "m")

    async def story() -> None:
        async with house.running():
            assert (await house.settled("m")).failure_reason == ""
            assert (await house.say("m")).body.startswith(b"from s3:hello")

    _run(story())


def test_workers_environment(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SM_MODEL_DIR", "s3://leak")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "leak")
    code = "import json, os\ndef model_fn(d):\n    return 1\n"
    code += "def transform_fn(m, b, c, a):\n    return json.dumps(dict(os.environ))\n"
    house.model("m", {"code/inference.py": code}, {"TOP_K": "5"})
    house.config("m", Variant(name="v", model="m"))
    house.endpoint("m", "m")

    async def story() -> None:
        async with house.running():
            await house.settled("m")
            seen = json.loads((await house.say("m")).body)
            assert seen["TOP_K"] == "5"
            assert seen["AWS_REGION"] == "us-east-1"
            assert seen["OMP_NUM_THREADS"] == str(usable_cores())
            assert not {"SM_MODEL_DIR", "AWS_SECRET_ACCESS_KEY"} & set(seen)

    _run(story())


def test_requirements_are_installed_for_the_model(house: House) -> None:
    """A package that comes with the model, so that no index is asked."""
    code = "import dogbreeds\ndef model_fn(d):\n    return dogbreeds.NAMES\n"
    code += "def predict_fn(data, model):\n    return model\n"
    file = "dogbreeds-1.0-py3-none-any.whl"
    files = {"code/inference.py": code, "code/requirements.txt": f"--no-index\n./{file}\n"}
    house.model("m", {**files, f"code/{file}": wheel("dogbreeds", "NAMES = ['beagle']\n")})
    house.config("m", Variant(name="v", model="m"))
    house.endpoint("m", "m")

    async def story() -> None:
        async with house.running():
            record = await house.settled("m")
            assert record.failure_reason == "", house.log("m", "v-1")
            assert json.loads((await house.say("m", "1", content_type="text/csv")).body) == ["beagle"]

    _run(story())


def test_requirements_that_cannot_be_installed(house: House) -> None:
    files = {"code/inference.py": ECHO, "code/requirements.txt": "--no-index\nno-such-package-here\n"}
    house.model("m", files)
    house.config("m", Variant(name="v", model="m"))
    house.endpoint("m", "m")

    async def story() -> None:
        async with house.running():
            record = await house.settled("m")
            assert record.status is EndpointStatus.FAILED
            assert "no-such-package-here" in record.failure_reason
            assert "ERROR" in house.log("m", "v-1")

    _run(story())


def test_workers_end_with_a_service_that_is_killed(house: House) -> None:
    house.echo("m")
    house.config("m", Variant(name="v", model="m"))
    house.endpoint("m", "m")
    house.store.close()
    script = """
import asyncio, sys
from pathlib import Path
from tests.control.endpoint_house import House
async def main():
    house = House(Path(sys.argv[1]))
    async with house.running():
        await house.settled("m")
        print((await house.say("m")).body.rsplit(b":")[-1].decode(), flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""
    service = subprocess.Popen([sys.executable, "-c", script, str(house.root)], stdout=subprocess.PIPE, cwd=_REPOSITORY)
    with service:
        assert service.stdout is not None
        pid = int(service.stdout.readline())
        watched = os.pidfd_open(pid)
        service.kill()
        assert select.select([watched], [], [], 60)[0]
        os.close(watched)
