import numpy as np

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.gathered import gathered
from sagehound.testing.recorded_run import RecordedRun, info
from tests.debug.rules.recorded import LOSS

LABELS = info("labels", "custom")


def sizes(*shapes: tuple[int, ...], mode: ModeKeys = ModeKeys.TRAIN, run: RecordedRun | None = None) -> RecordedRun:
    run = run or RecordedRun()
    for shape in shapes:
        run.save({LABELS: np.zeros(shape)}, mode)
    return run


def due(run: RecordedRun, samples: int, **more: bool) -> dict[int, list[int]]:
    trial = run.trial()
    found = {step: list(gathered(trial, step, LABELS.name, samples, **more)) for step in reversed(trial.steps())}
    return {step: steps for step, steps in found.items() if steps}


def test_a_shorter_last_batch_only_takes_another_step() -> None:
    assert due(sizes(*[(4,)] * 3, (1,), (4,)), 12) == {2: [0, 1, 2]}
    assert due(sizes(*[(4,)] * 2, (1,), *[(4,)] * 3), 12) == {3: [0, 1, 2, 3]}


def test_each_step_is_gathered_once_and_with_its_like() -> None:
    run = sizes((4,), (4,))
    sizes((9,), mode=ModeKeys.EVAL, run=run)
    run.save({LOSS: 1.0}, ModeKeys.TRAIN)
    sizes((4,), (4,), run=run)
    assert due(run, 8) == {1: [0, 1], 2: [2], 5: [4, 5]}


def test_samples_are_elements_or_along_the_first_dimension() -> None:
    run = sizes((2, 3), (2, 3))
    assert due(run, 6) == {0: [0], 1: [1]}
    assert due(run, 4, elements=False) == {1: [0, 1]}
