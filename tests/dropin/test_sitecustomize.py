import os
import subprocess
import sys
from pathlib import Path

import sagehound

DROPIN = Path(sagehound.__file__).parent / "dropin"


def run(code: str, *folders: Path) -> str:
    path = os.pathsep.join(map(str, (DROPIN, *folders)))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_torchvision_imports_in_any_process_without_sagehound():
    code = "import sys, torchvision; print(torchvision.transforms.ToTensor.__name__, 'sagehound' in sys.modules)"
    assert run(code) == "ToTensor False"


def test_nothing_heavy_is_loaded_at_the_start():
    code = "import sys; print(sorted({'torch', 'sagehound', 'importlib.util', 'typing', 'pathlib'} & set(sys.modules)))"
    bare = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    start = f"import sys; sys.path.insert(0, {str(DROPIN)!r}); import sitecustomize; " + code
    ours = subprocess.run([sys.executable, "-S", "-c", start], capture_output=True, text=True, check=True)
    assert ours.stdout.strip() == bare == "[]"


def test_the_sitecustomize_that_it_hides_still_runs(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.from_the_other = __file__\n")
    assert run("import sys; print(sys.from_the_other)", tmp_path) == str(tmp_path / "sitecustomize.py")
