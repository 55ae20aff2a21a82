import subprocess
import sys

import pytest

import sagehound.debug


def printed(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_what_reads_a_trial_does_without_torch():
    code = (
        "import sys, sagehound.debug as smd; smd.Trial, smd.Collection, smd.SaveConfig, smd.Rule, smd.invoke_rule; "
        "heavy = {'torch', 'pandas', 'matplotlib', 'boto3', 'tensorboardX'}; print(sorted(heavy & set(sys.modules)))"
    )
    assert printed(code) == "[]"


@pytest.mark.parametrize("name", sagehound.debug.__all__)
def test_every_public_name_is_there_and_is_no_module(name):
    assert type(getattr(sagehound.debug, name)) is not type(sagehound)


def test_names_of_modules_stay_what_they_are():
    code = (
        "import sagehound.debug.create_trial, sagehound.debug.modes; from sagehound.debug import create_trial, modes; "
        "print(create_trial.__name__, modes.TRAIN)"
    )
    assert printed(code) == "create_trial ModeKeys.TRAIN"


def test_any_other_name_is_refused():
    with pytest.raises(AttributeError, match=r"has no attribute 'Hooks'; it has Collection, .* Hook"):
        _ = sagehound.debug.Hooks
