"""Whether tuned values reach a script."""

import json

import pytest

from sagehound.jobs.arguments import command, decode, to_arguments
from sagehound.jobs.delivery import undelivered

ARGPARSE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("-b", "--batch-size", type=int)
args, _ = parser.parse_known_args()
"""


def notes(folder, script, tuned, written=None):
    (folder / "code" / "sub").mkdir(parents=True)
    (folder / "code" / "train.py").write_text("import sub.options\n")
    (folder / "code" / "sub" / "options.py").write_text(script)
    config = folder / "hyperparameters.json"
    config.write_text(json.dumps(tuned if written is None else written))
    return undelivered(folder / "code", command("train.py", to_arguments(decode(tuned))), config, tuned)


@pytest.mark.parametrize(
    ("script", "tuned"),
    [
        (ARGPARSE, {"lr": "0.01", "batch-size": '"64"', "b": "3"}),
        (ARGPARSE, {"batch": "64"}),  # argparse takes an option by its beginning
        ("import os\nlr = os.environ['SM_HP_LR']", {"lr": "0.01"}),
        ("import json\nhps = json.load(open('/opt/ml/input/config/hyperparameters.json'))", {"lr": "0.01"}),
        ("def main(lr=0.1): ...\nfire.Fire(main)", {"lr": "0.01"}),
        ("@dataclass\nclass Args:\n    weight_decay: float = 0", {"weight-decay": "0.01"}),
        ("@click.option('--lr')\ndef main(**_): ...", {"lr": "0.01"}),
        ("for name in NAMES:\n    parser.add_argument(f'--{name}')\nprint(args['lr'])", {"lr": "0.01"}),
        ("from somebodys.recipes import main\nmain()", {"lr": "0.01"}),
        ("this is no Python", {"lr": "0.01"}),
    ],
)
def test_nothing_is_said_of_a_value_that_the_code_reads(tmp_path, script, tuned):
    assert notes(tmp_path, script, tuned) == []


def test_an_option_of_another_name_is_pointed_out(tmp_path):
    (note,) = notes(tmp_path, ARGPARSE, {"batch_size": "64", "lr": "0.1"})
    assert note == (
        "the script's parser has no option --batch_size (it has --batch-size: give the hyperparameter that name); "
        "the value 64 may not be used"
    )


def test_a_name_that_no_file_mentions_is_pointed_out(tmp_path):
    assert notes(tmp_path, "import torch.nn, math\ndef main(width): ...", {"depth": "3"}) == [
        "no file of the code mentions depth; its value 3 may not be used"
    ]


def test_a_value_that_a_shell_splits_is_pointed_out(tmp_path):
    (note,) = notes(tmp_path, ARGPARSE, {"lr": '"one two"'})
    assert note.startswith("lr was suggested as 'one two', and the script receives 'one'")


def test_another_value_in_the_file_is_pointed_out(tmp_path):
    found = notes(tmp_path, ARGPARSE, {"lr": "0.1"}, written={"lr": "0.2"})
    assert found == ["lr was suggested as 0.1 and is '0.2' in hyperparameters.json"]


def test_a_command_of_ones_own_gets_no_arguments(tmp_path):
    config = tmp_path / "hyperparameters.json"
    config.write_text('{"lr": "0.1"}')
    assert undelivered(tmp_path, ("/opt/ml/input/data/code/run.sh",), config, {"lr": "0.1"}) == []
