import json
import subprocess
import sys
from pathlib import Path

import pytest

#: As users write one: no line of the debugger.
SCRIPT = """
import argparse
import torch
import torch.nn.functional as F
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--fail", action="store_true")
args = parser.parse_args()
torch.manual_seed(0)
layers = []
for _ in range({depth}):
    layers += [nn.Linear(16, 16), nn.{activation}()]
model = nn.Sequential(*layers, nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), args.lr)
for step in range(30):
    x = torch.randn(8, 16)
    loss = F.cross_entropy(model(x), (x[:, 0] > 0).long())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("lr was", args.lr)
if args.fail:
    raise SystemExit(3)
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("sagehound")), "debug", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def script(folder: Path, depth: int, activation: str) -> str:
    (folder / "train.py").write_text(SCRIPT.replace("{depth}", str(depth)).replace("{activation}", activation))
    return "train.py"


def test_a_deep_net_of_sigmoids_vanishes_and_the_finding_says_what_to_change(tmp_path):
    done = run(tmp_path, "--rule", "VanishingGradient", script(tmp_path, 25, "Sigmoid"), "--lr", "0.5")
    assert done.returncode == 0, done.stderr
    assert "lr was 0.5" in done.stdout
    assert "VanishingGradient: gradient/" in done.stdout
    assert "Change: " in done.stdout
    assert "VanishingGradient fired" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]


def test_json_has_every_rule_and_the_exit_status_is_the_scripts(tmp_path):
    done = run(tmp_path, "--json", "--keep", "kept", script(tmp_path, 1, "ReLU"), "--fail")
    assert done.returncode == 3, done.stderr
    said = json.loads(done.stdout.partition("lr was 0.01\n")[2])
    assert said["rules"]["VanishingGradient"][0] == "NoIssuesFound"
    assert len(said["rules"]) > 20
    assert (tmp_path / "kept" / "manifest").is_dir()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("missing.py",), "there is no file 'missing.py'"),
        (("--keep", ".", "train.py"), "name a folder that does not"),
        (("--rule", "VanishingGradients", "train.py"), "VanishingGradient"),
    ],
)
def test_bad_input_is_refused_before_the_script_runs(tmp_path, arguments, says):
    script(tmp_path, 1, "ReLU")
    done = run(tmp_path, *arguments)
    assert done.returncode == 1
    assert says in done.stderr.replace("\n", " ")
    assert "lr was" not in done.stdout


def test_a_script_that_trains_nothing_is_told_so_once(tmp_path):
    (tmp_path / "train.py").write_text("print('no training')")
    done = run(tmp_path, "train.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("no tensors were saved") == 1
    assert "Nothing could be judged: " in done.stdout
