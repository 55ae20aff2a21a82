"""The import name `smdebug`, in processes that have the drop-in folder first on their path, as jobs do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sagehound

DROPIN = Path(sagehound.__file__).parent / "dropin"


def run(code: str, *folders: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(map(str, (DROPIN, *folders)))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def printed(code: str, *folders: Path, **variables: str) -> str:
    done = run(code, *folders, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A folder with another smdebug, as pip installs it."""
    (tmp_path / "smdebug/tensorflow").mkdir(parents=True)
    (tmp_path / "smdebug/__init__.py").write_text("raise SystemExit('the other smdebug was imported')\n")
    (tmp_path / "smdebug/tensorflow/__init__.py").write_text("")
    return tmp_path


NAMES = """
import smdebug
import smdebug.pytorch as smd
from smdebug import CollectionKeys, ReductionConfig, SaveConfig, SaveConfigMode, modes, __version__
from smdebug.pytorch import (Hook, Collection, CollectionKeys, SaveConfig, SaveConfigMode, ReductionConfig, modes,
    create_trial, get_hook, set_hook, del_hook)
from smdebug.core.modes import ModeKeys, ALLOWED_MODES, ALLOWED_MODE_NAMES, str_to_mode_keys
from smdebug.core.collection import Collection as C1, CollectionKeys as K1, DEFAULT_PYTORCH_COLLECTIONS
from smdebug.core.collection_manager import CollectionManager
from smdebug.core.save_config import SaveConfig as S1, SaveConfigMode as M1
from smdebug.core.reduction_config import ReductionConfig as R1, ALLOWED_NORMS, ALLOWED_REDUCTIONS
from smdebug.core.hook import BaseHook, CallbackHook
from smdebug.core.singleton_utils import get_hook as g1
from smdebug.core.logger import get_logger
from smdebug.core.tensor import StepState, Tensor
from smdebug.pytorch.hook import Hook as H1
from smdebug.pytorch.collection import Collection as C2, CollectionManager as CM2
from smdebug.pytorch.singleton_utils import get_hook as g2, set_hook as s2, del_hook as d2
from smdebug.trials import create_trial as t1, Trial, LocalTrial, S3Trial
from smdebug.trials.utils import create_trial as t2
from smdebug.trials.trial import Trial as T1
from smdebug.rules import Rule, invoke_rule, RequiredTensors
from smdebug.rules.rule import Rule as R2
from smdebug.rules.rule_invoker import invoke_rule as i1
from smdebug.rules.req_tensors import RequiredTensors as Q1
from smdebug.analysis.utils import no_refresh, refresh, parse_bool, parse_list_from_str
from smdebug.exceptions import *
assert smd.Hook is Hook is H1 is BaseHook and smd.modes.TRAIN is ModeKeys.TRAIN is str_to_mode_keys("train")
assert t1 is t2 is create_trial and C1 is C2 is Collection and R2 is Rule and g1 is g2 is get_hook
assert issubclass(TensorUnavailable, SMDebugError) and issubclass(SMDebugTypeError, (TypeError, SMDebugError))
print(smdebug.__file__)
"""


def test_every_documented_name_is_there_whatever_pip_installed(other):
    assert printed(NAMES, other) == str(DROPIN / "smdebug/__init__.py")


def test_a_program_that_reads_trials_does_without_torch():
    code = (
        "import sys, smdebug.pytorch as smd; from smdebug.trials import create_trial; from smdebug.rules.rule "
        "import Rule; smd.SaveConfig(save_interval=3); smd.create_trial; print('torch' in sys.modules)"
    )
    assert printed(code) == "False"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "import smdebug.tensorflow as smd",
            "smdebug.tensorflow of the original smdebug is not offered by Sagehound",
        ),
        ("import smdebug.tensorflow as smd", "import smdebug.pytorch"),
        ("from smdebug import mxnet", "only PyTorch is debugged here"),
        ("from smdebug.xgboost import Hook", "only PyTorch is debugged here"),
        (
            "from smdebug.profiler.analysis.utils.merge_timelines import x",
            "smdebug.profiler has the readers, PandasFrame",
        ),
        ("from smdebug.core.access_layer import x", "COVERAGE.md"),
        ("from smdebug.pytorch import Hooks", "smdebug.pytorch.Hooks of the original smdebug is not offered"),
    ],
)
def test_what_is_not_offered_says_what_to_do(statement, said, other):
    code = f"try:\n    {statement}\nexcept ImportError as error:\n    print(error)"
    assert said in printed(code, other)


def test_an_interpreter_without_sagehound_is_told():
    code = f"import sys; sys.path.insert(0, {str(DROPIN)!r}); sys.modules['sagehound'] = None; import smdebug"
    done = run(code)
    assert done.returncode == 1
    assert "cannot import it" in done.stderr
    assert "Install sagehound in it" in done.stderr


def test_trials_stand_still_while_they_are_looked_at():
    code = """
from sagehound.testing.recorded_run import RecordedRun
from smdebug.analysis.utils import no_refresh, parse_bool, parse_list_from_str, refresh
one, two = RecordedRun().trial(), RecordedRun().trial()
with no_refresh([one, two]) as trials, refresh(two):
    print(one.dynamic_refresh, two.dynamic_refresh, trials == [one, two], end=" ")
print(one.dynamic_refresh, two.dynamic_refresh, parse_list_from_str("a, b,"), parse_bool("False", True))
"""
    assert printed(code) == "False True True True True ['a', 'b'] False"


def test_the_exceptions_of_a_hook_are_caught_by_their_names():
    code = """
from smdebug.exceptions import SMDebugError, SMDebugValueError
from smdebug.pytorch import Collection, SaveConfig
for made in (lambda: SaveConfig(save_interval="x"), lambda: Collection("a", "(")):
    try:
        made()
    except SMDebugValueError as error:
        print(isinstance(error, SMDebugError), isinstance(error, ValueError))
"""
    assert printed(code) == "True True\nTrue True"
