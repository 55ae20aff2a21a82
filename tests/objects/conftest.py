"""A real rclone, one a test session; another one as "any S3 by URL"."""

import uuid
from pathlib import Path

import pytest

from sagehound.keys import load_keys
from sagehound.objects.server import EmbeddedServer
from sagehound.settings import Settings


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    server = EmbeddedServer(settings, load_keys(settings.home))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def server_home(server) -> Path:
    return server._settings.home


@pytest.fixture
def bucket() -> str:
    return f"bucket-{uuid.uuid4().hex[:12]}"
