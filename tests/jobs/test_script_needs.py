"""What a script imports when it is loaded."""

import subprocess
import sys

import pytest

from sagehound.jobs.script_needs import needs
from sagehound.vision import train


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import torch, os", {"torch"}),
        ("import torch.nn as nn", {"torch.nn"}),
        ("from PIL import Image", {"PIL", "PIL.Image"}),
        ("from timm.data import *", {"timm.data"}),
        ("try:\n    import timm\nexcept ImportError:\n    timm = None", {"timm"}),
        ("if __name__ == '__main__':\n    import timm", {"timm"}),
        ("def main():\n    import timm", set()),
        ("class A:\n    import timm", {"timm"}),
        ("import torchmetrics, pandas", set()),
        ("from model import Net", {"timm", "torch", "torch.nn"}),
        ("from package.part import x", {"numpy"}),
        ("import package", {"numpy"}),
        ("import a", {"scipy"}),
        ("import torch\nprint(", None),
        ("import torch; WORLD_SIZE = 1; a_pipe = 'pipe'", {"torch"}),
        ("import torch, subprocess; subprocess.run(['pip', 'install', 'x'])", None),
        ("import os; os.environ['OMP_NUM_THREADS'] = '1'; import torch", None),
        ("import torch, installs", None),
        ("import sys; sys.path.insert(0, 'vendor'); import torch", None),
        ("import sys; sys.path[:0] = ['vendor']; import torch", None),
        ("import sys; sys.path.append('parts'); import torch", {"torch"}),
        ("import sys; sys.modules['torch'] = None; import timm", None),
        ("import sys; print('torch' in sys.modules, sys.path == []); import timm", {"timm"}),
    ],
)
def test_what_a_script_and_the_modules_beside_it_import(source, found, tmp_path):
    files = {
        "train.py": source,
        "model.py": "import timm\nfrom torch import nn\nimport model",
        "package/__init__.py": "import numpy",
        "package/part.py": "x = 1",
        "a.py": "import b",
        "b.py": "import a, scipy",
        "installs.py": "x = 'pip install y'",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert needs(tmp_path, "train.py") == found


def test_a_missing_script_starts_plainly(tmp_path):
    assert needs(tmp_path, "train.py") is None


def test_our_own_trainer_needs_what_it_loads(tmp_path):
    source = f"from {train.__name__} import main"
    (tmp_path / "train.py").write_text(source)
    needed = sorted(needs(tmp_path, "train.py"))
    assert "timm" in needed
    code = f"import sys; from sagehound.vision import operators; operators.install()\n{source}"
    code += f"\nprint([name for name in {needed} if name not in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
