from pathlib import Path

import pytest

from sagehound.debug.rules.gradient_clipping import GradientClipping
from sagehound.debug.rules.registry import build
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step
from tests.debug.rules.trained import clusters, network, trained


def clipped(*norms: float | str) -> Trial:
    run = RecordedRun()
    for norm in norms:
        run.save({LOSS: 1.0}, facts=Facts(clip_norm=norm, clip_limit=1.0))
    return run.end().trial()


@pytest.mark.parametrize(("above", "times"), [(18, 0), (19, 1), (20, 1)])
def test_nearly_every_step_is_clipped(above: int, times: int) -> None:
    found = at_each_step(GradientClipping(), clipped(*[0.5] * (20 - above), *[4.0] * above))
    assert len(found) == times
    assert not found or (found[0].numbers["median_norm"], found[0].numbers["limit"]) == (4.0, 1.0)


def test_too_few_steps_tell_nothing_and_the_number_is_a_parameter() -> None:
    assert at_each_step(GradientClipping(), clipped(*[4.0] * 19)) == []
    assert len(at_each_step(build("GradientClipping", {"steps": "5", "threshold": "1"}), clipped(*[4.0] * 6))) == 2


def test_a_norm_that_is_infinite_counts_as_clipped() -> None:
    (found,) = at_each_step(GradientClipping(), clipped(*["inf"] * 20))
    assert found.numbers["median_norm"] == "inf"


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0})
    assert "no step with a backward pass" in GradientClipping().unable(run.trial())
    run.save({LOSS: 1.0}, facts=Facts(backward=True))
    assert GradientClipping().unable(run.trial()) == ""
    assert GradientClipping().unable(clipped(1.0)) == ""


@pytest.mark.parametrize(("limit", "finds"), [(1e-3, True), (100.0, False)])
def test_real_trainings(tmp_path: Path, limit: float, finds: bool) -> None:
    trial = trained(tmp_path / "run", network(), clusters(25), clip=limit)
    assert bool(at_each_step(GradientClipping(), trial)) == finds
