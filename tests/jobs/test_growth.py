"""Files that grow."""

import asyncio
from pathlib import Path

import pytest

from sagehound.jobs import growth
from sagehound.jobs.growth import Growth


@pytest.fixture(params=["inotify", "looking"])
def way(request, monkeypatch):
    """The kernel's word, and the way of systems that have none."""
    if request.param == "looking":
        monkeypatch.setattr(growth, "_LOOK_S", 0.01)
        monkeypatch.setattr(growth._Inotify, "__init__", refuse)
    return request.param


def refuse(self) -> None:
    raise OSError("no inotify")


class Ear:
    """Counts what it hears; `next` waits for it."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._bell = asyncio.Event()

    def __call__(self, key: str) -> None:
        self.heard.append(key)
        self._bell.set()

    async def next(self) -> str:
        await asyncio.wait_for(self._bell.wait(), 10)
        self._bell.clear()
        return self.heard[-1]


def append(path: Path, text: str = "line\n") -> None:
    with path.open("a") as file:
        file.write(text)


def test_what_grows_is_reported_and_what_is_there_too(tmp_path, way):
    async def run() -> None:
        ear = Ear()
        grown = Growth(ear)
        append(tmp_path / "a")
        grown.watch("a", tmp_path / "a")
        grown.watch("b", tmp_path / "b")
        assert await ear.next() == "a"
        append(tmp_path / "b")
        assert await ear.next() == "b"
        grown.forget("a")
        append(tmp_path / "a")
        append(tmp_path / "b")
        assert await ear.next() == "b"
        assert "a" not in ear.heard[1:]
        grown.close()

    asyncio.run(run())


def test_what_comes_together_is_one(tmp_path, way):
    async def run() -> None:
        ear = Ear()
        grown = Growth(ear)
        grown.watch("a", tmp_path / "a")
        for _ in range(1000):
            append(tmp_path / "a")
        await ear.next()
        assert len(ear.heard) < 20
        grown.close()

    asyncio.run(run())


def test_a_closed_one_says_nothing_and_leaves_no_descriptor(tmp_path, way):
    async def run() -> int:
        ear = Ear()
        grown = Growth(ear)
        grown.watch("a", tmp_path / "a")
        grown.close()
        append(tmp_path / "a")
        await asyncio.sleep(0)
        assert ear.heard == []
        return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0

    assert asyncio.run(run()) == asyncio.run(run())
