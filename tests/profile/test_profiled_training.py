import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sagehound import profile
from sagehound.errors import InvalidInput
from sagehound.profile import profile_training
from sagehound.profile import steps as timed
from tests.profile.trained import events, loader, net, phases, profiled, steps, train


def test_steps_of_any_iterable(tmp_path: Path) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with profile(tmp_path, steps=2) as p:  # type: ignore[operator]
        for inputs in p.steps(torch.randn(4, 8) for _ in range(4)):
            model(inputs).sum().backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            for inputs in p.steps([torch.randn(4, 8)] * 2):
                model(inputs)
    assert steps(tmp_path) == ["TRAIN 0", "TRAIN 1", "TRAIN 2", "TRAIN 3", "EVAL 0", "EVAL 1"]
    assert phases(tmp_path, "TRAIN 3") == {"loader": 1, "forward": 1, "backward": 1, "optimizer": 1}
    assert len(list(tmp_path.rglob("detailed_profiling/*/000000001/*.operators.json"))) == 1


def test_steps_of_a_loader_are_not_counted_twice(tmp_path: Path) -> None:
    with profile_training(tmp_path) as p:
        train(net(), p.steps(loader(3)))
    assert steps(tmp_path) == ["TRAIN 0", "TRAIN 1", "TRAIN 2"]
    assert phases(tmp_path, "TRAIN 2")["loader"] == 1


def test_steps_without_a_model_have_the_mode_that_is_said(tmp_path: Path) -> None:
    with profile_training(tmp_path) as p:
        assert list(p.steps(range(3), mode="EVAL")) == [0, 1, 2]
        with p.mode("TRAIN"):
            assert list(p.steps(range(2))) == [0, 1]
    assert steps(tmp_path) == ["EVAL 0", "EVAL 1", "EVAL 2", "TRAIN 0", "TRAIN 1"]


def test_outside_of_it_batches_pass_through(tmp_path: Path) -> None:
    p = profile_training(tmp_path)
    assert list(p.steps([1, 2])) == [1, 2]
    assert events(tmp_path) == []


def test_a_process_that_is_profiled_already_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with profiled(tmp_path / "job"):
        with profile_training(tmp_path / "own") as p:
            train(net(), p.steps(loader(2)))
            assert p.folder == tmp_path / "job"
        train(net(), loader(2))
    assert len(steps(tmp_path / "job")) == 4 and not (tmp_path / "own").exists()
    assert "is profiled into" in capsys.readouterr().err


def test_bad_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="steps is 0"):
        profile_training(tmp_path, steps=0)
    with pytest.raises(InvalidInput, match="start_step is -1"):
        profile_training(tmp_path, steps=1, start_step=-1)
    with profile_training(tmp_path) as p, pytest.raises(InvalidInput, match="mode is 'PREDICT'"):
        next(p.steps([1], mode="PREDICT"))


def test_importing_the_package_does_without_torch() -> None:
    code = "import sys, sagehound.profile; print({'torch', 'numpy', 'pyarrow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_batches_of_a_training_that_is_profiled_already(tmp_path: Path) -> None:
    def batches() -> list[tuple[torch.Tensor, torch.Tensor]]:
        return [(torch.randn(4, 8), torch.zeros(4, dtype=torch.long))] * 3

    train(net(), timed(batches()))
    assert events(tmp_path) == []
    with profiled(tmp_path):
        train(net(), timed(batches()))
    assert steps(tmp_path) == ["TRAIN 0", "TRAIN 1", "TRAIN 2"]
    assert phases(tmp_path, "TRAIN 2")["loader"] == 1
