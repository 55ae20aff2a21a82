import subprocess
import sys

CODE = """
import sys
{before}
assert "torch" not in sys.modules, "the hook alone must not load torch"
import torchvision
from torchvision import models, transforms
print(models.resnet18(num_classes=2).fc.out_features)
"""


def run(before: str, **options) -> subprocess.CompletedProcess[str]:
    code = CODE.format(before=before)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, **options)


def test_torchvision_imports_beside_any_build_of_torch():
    done = run("from sagehound.vision import operators; operators.install(); operators.install()")
    assert (done.returncode, done.stdout.strip()) == (0, "2"), done.stderr


def test_importing_any_part_of_vision_is_enough():
    done = run("import sagehound.vision")
    assert (done.returncode, done.stdout.strip()) == (0, "2"), done.stderr


def test_every_schema_is_one_that_torch_can_parse():
    code = """
import torch
from sagehound.vision.operators import SCHEMAS
for schema in SCHEMAS:
    torch._C.parse_schema("torchvision::" + schema)
print(len(SCHEMAS))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "13", done.stderr
