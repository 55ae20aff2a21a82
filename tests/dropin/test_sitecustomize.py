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


def hooked(code: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run with a torch that is quick to import and a debugger whose `install` prints."""
    (folder / "torch").mkdir()
    (folder / "torch/__init__.py").write_text("done = True\nimport torch.nn\n")
    (folder / "torch/nn.py").write_text("")
    (folder / "sagehound/debug").mkdir(parents=True)
    (folder / "sagehound/__init__.py").write_text("")
    (folder / "sagehound/debug/__init__.py").write_text("")
    (folder / "sagehound/debug/hook.py").write_text("import torch\nHook = 1\n")
    (folder / "sagehound/debug/automatic.py").write_text(
        "import torch\nfrom sagehound.debug.hook import Hook\ndef install(): print('installed', torch.done)\n"
    )
    (folder / "later.py").write_text("")
    path = os.pathsep.join(map(str, (DROPIN, folder)))
    environment = {**os.environ, "PYTHONPATH": path, "SAGEHOUND_AUTO_HOOK": "1", **variables}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_a_job_that_asks_for_tensors_is_hooked_right_after_torch(tmp_path):
    code = "print('start'); from torch import nn; print('script'); import later, torch"
    done = hooked(code, tmp_path)
    assert (done.stdout.split("\n")[:3], done.stderr) == (["start", "installed True", "script"], "")


def test_nothing_is_hooked_unless_asked_for(tmp_path):
    done = hooked("import torch, sys; print('sagehound' in sys.modules)", tmp_path, SAGEHOUND_AUTO_HOOK="")
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_looking_for_torch_before_importing_it_changes_nothing(tmp_path):
    code = "from importlib.util import find_spec; find_spec('torch'); find_spec('torch'); print('seen'); import torch"
    assert hooked(code, tmp_path).stdout == "seen\ninstalled True\n"


def test_a_hook_that_brings_torch_in_is_made_first(tmp_path):
    code = "from sagehound.debug.hook import Hook; print(Hook); import later"
    done = hooked(code, tmp_path)
    assert (done.stdout, done.stderr) == ("1\ninstalled True\n", "")


def test_without_torch_there_is_nothing_to_hook(tmp_path):
    code = "import sys; sys.path = [p for p in sys.path if 'site-packages' not in p and 'src' not in p]\nimport torch"
    environment = {**os.environ, "PYTHONPATH": str(DROPIN), "SAGEHOUND_AUTO_HOOK": "1"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(DROPIN)!r}); import sitecustomize\n{code}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'torch'\n")


def test_an_interpreter_without_the_debugger_says_so_and_goes_on(tmp_path):
    code = "import sys; sys.modules['sagehound'] = None; import torch; print('script')"
    done = hooked(code, tmp_path)
    assert done.stdout == "script\n"
    assert done.stderr.count("\n") == 1
    assert "no tensors are saved" in done.stderr
    assert sys.executable in done.stderr


def test_a_job_that_asks_for_a_profile_has_it_before_the_debugger(tmp_path):
    (tmp_path / "sagehound/profile").mkdir(parents=True)
    (tmp_path / "sagehound/profile/__init__.py").write_text("")
    (tmp_path / "sagehound/profile/automatic.py").write_text("def install(): print('profiled')\n")
    code = "import torch; print('script')"
    both = hooked(code, tmp_path, SAGEHOUND_AUTO_PROFILE="1")
    assert (both.stdout, both.stderr) == ("profiled\ninstalled True\nscript\n", "")


def test_a_profile_alone(tmp_path):
    done = hooked("import torch", tmp_path, SAGEHOUND_AUTO_HOOK="", SAGEHOUND_AUTO_PROFILE="1")
    assert done.stdout == "" and "nothing is profiled" in done.stderr and "the profiler" in done.stderr
