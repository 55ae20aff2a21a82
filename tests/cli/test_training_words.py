"""How to train a configuration again."""

import shlex

from sagehound.cli.training_words import BUILT_IN_SCRIPT, command, sdk
from sagehound.vision.options import parse

VALUES = {"lr": "0.01", "batch_size": '"64"', "sagemaker_program": '"train.py"', "_tuning_objective_metric": "x"}


def test_the_built_in_scripts_command_is_one_that_it_understands():
    line = command(BUILT_IN_SCRIPT, "/my photos", VALUES)
    assert line == "python -m sagehound.vision.train --data '/my photos' --lr 0.01 --batch_size 64"
    options = parse(shlex.split(line)[3:], {})
    assert (options.lr, options.batch_size) == (0.01, 64)


def test_a_script_of_ones_own_gets_its_data_as_a_job_does():
    assert command("/w/hpo.py", "/p", VALUES) == "SM_CHANNEL_TRAINING=/p python /w/hpo.py --lr 0.01 --batch_size 64"


def test_what_is_not_known_is_left_out():
    assert command("", "/p", VALUES) == ""
    assert command("/w/hpo.py", "", VALUES) == ""


def test_the_program_is_python():
    text = sdk("tuning-1", "s3://bucket/data")
    compile(text, "sdk", "exec")
    assert "attach('tuning-1')" in text
