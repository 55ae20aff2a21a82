import os
import subprocess
import sys

import pytest


def keep_freed(environment: dict[str, str]) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    code = "from sagehound.vision import memory; print(memory.keep_freed())"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_it_is_taken_but_not_over_what_the_environment_says():
    assert keep_freed({}) == "True"
    assert keep_freed({"MALLOC_TOP_PAD_": "1000000"}) == "False"
