"""A house for endpoints: a store, a folder of objects, and an endpoint loop that can be started again over them."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sagehound.control.deployment import Stager
from sagehound.control.endpoints import EndpointLoop
from sagehound.control.serving_command import surroundings
from sagehound.errors import NotFound
from sagehound.jobs.logs import read_lines
from sagehound.names import S3Uri
from sagehound.records.invocation import Invocation, Reply
from sagehound.records.serving import Endpoint, EndpointConfig, EndpointStatus, Model, Variant
from sagehound.store.sqlite import SqliteStore
from sagehound.testing.folder_store import FolderStore

DEADLINE_S = 60.0
ECHO = """
import os
def model_fn(model_dir):
    return open(os.path.join(model_dir, "weights.txt")).read()
def transform_fn(model, body, content_type, accept):
    return f"{model}:{bytes(body).decode()}:{os.getpid()}", "text/plain"
"""


class House:
    """A store, a folder of objects, and an endpoint loop that can be started again over them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = SqliteStore(root / "state.db")
        self.objects = FolderStore(root / "s3")
        self.loop = self._new_loop()

    @property
    def folder(self) -> Path:
        return self.root / "endpoints"

    def _new_loop(self) -> EndpointLoop:
        around = surroundings(os.environ, {"AWS_REGION": "us-east-1"})
        stager = Stager(self.store, self.objects, self.root / "environments")
        return EndpointLoop(self.store, stager, self.folder, around, time.time)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[EndpointLoop]:
        self.loop = self._new_loop()
        task = asyncio.create_task(self.loop.run())
        try:
            yield self.loop
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def model(self, name: str, files: Mapping[str, str | bytes], environment: dict[str, str] | None = None) -> None:
        archive = self.root / f"{name}.tar.gz"
        pack(archive, files)
        self.objects.put(archive, S3Uri("models", f"{name}/model.tar.gz"))
        self.record_model(name, f"s3://models/{name}/model.tar.gz", environment)

    def record_model(self, name: str, uri: str, environment: dict[str, str] | None = None) -> None:
        made = Model(
            name=name, created_at=1, modified_at=1, arn=name, document={}, data_uri=uri, environment=environment or {}
        )
        self.store.insert(made)

    def config(self, name: str, *variants: Variant) -> None:
        self.store.insert(
            EndpointConfig(name=name, created_at=1, modified_at=1, arn=name, document={}, variants=variants)
        )

    def endpoint(self, name: str, config: str) -> None:
        self.store.insert(Endpoint(name=name, created_at=1, modified_at=1, arn=name, config=config))

    def set(self, name: str, status: EndpointStatus, **changes: str) -> None:
        self.store.update(Endpoint, name, lambda record: record.evolve(status=status, **changes))

    async def settled(self, name: str) -> Endpoint:
        """The endpoint's record once nothing is under way."""
        under_way = (EndpointStatus.CREATING, EndpointStatus.UPDATING)
        await self.until(lambda: self.store.get(Endpoint, name).status not in under_way)
        return self.store.get(Endpoint, name)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not true():
                await asyncio.sleep(0.02)

    async def say(self, endpoint: str, text: str = "hello", **how: Any) -> Reply:
        call = {"content_type": "application/octet-stream"} | how
        return await self.loop.invoke(Invocation(endpoint=endpoint, body=text.encode(), **call))

    def exists(self, name: str) -> bool:
        try:
            self.store.get(Endpoint, name)
        except NotFound:
            return False
        return True

    def echo(self, *names: str) -> None:
        for name in names:
            self.model(name, {"code/inference.py": ECHO, "weights.txt": name})

    def log(self, endpoint: str, host: str) -> str:
        return "\n".join(line.text for line in read_lines(self.folder / endpoint, host)[0])


def pack(path: Path, files: Mapping[str, str | bytes]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def wheel(name: str, source: str) -> bytes:
    """A wheel, version 1.0, of one module."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{name}.py", source)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return stream.getvalue()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
