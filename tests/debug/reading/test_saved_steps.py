"""The index of steps."""

from collections.abc import Sequence

from sagehound.debug.modes import ModeKeys
from sagehound.debug.reading.saved_steps import SavedSteps
from sagehound.debug.store.records import Run, Step
from sagehound.testing.recorded_run import RecordedRun, info

LOSS = info("loss", "loss")
TRAIN = ModeKeys.TRAIN


def test_only_what_is_new_is_taken_in() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0})
    steps = SavedSteps(run)
    assert [(worker, step.step) for worker, step in steps.update()] == [("worker_0", 0)]
    assert list(steps.update()) == []
    run.save({LOSS: 1.0}, skip=4)
    assert [step.step for _, step in steps.update()] == [5]
    assert steps.numbers() == [0, 5]
    assert steps.numbers(ModeKeys.EVAL) == []


def test_steps_up_to_and_after_one() -> None:
    run = RecordedRun()
    for _ in range(4):
        run.save({LOSS: 1.0}, skip=9)
    steps = SavedSteps(run)
    list(steps.update())
    assert steps.up_to(19) == steps.up_to(28) == [9, 19]
    assert steps.after(19) == steps.after(28) == [29, 39]
    assert steps.after(-1, most=2) == [9, 19]


def test_a_run_without_modes_counts_in_global_steps() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0}, mode=ModeKeys.GLOBAL, skip=2)
    steps = SavedSteps(run)
    list(steps.update())
    assert steps.modes() == [ModeKeys.GLOBAL]
    assert steps.numbers() == [2]
    assert steps.global_step(2, ModeKeys.GLOBAL) == 2


class Late(RecordedRun):
    """A second worker that saves its steps after the first has saved all of its own."""

    def runs(self) -> dict[str, Run]:
        return {name: Run(worker=name, workers=2) for name in ("worker_0", "worker_1")}

    def steps(self, worker: str) -> Sequence[Step]:
        return self._steps if worker == "worker_0" else self._steps[1:2]


def test_a_step_is_complete_once_all_saved_it_or_a_later_one() -> None:
    run = Late()
    for _ in range(3):
        run.save({LOSS: 1.0})
    steps = SavedSteps(run)
    list(steps.update())
    assert steps.numbers() == steps.numbers(TRAIN) == [0, 1, 2]
    assert [steps.complete(step) for step in (0, 1, 2)] == [True, True, False]
    first = steps.first(1)
    assert first is not None
    assert (first.step, sorted(steps.by_worker(1)), sorted(steps.by_worker(2))) == (
        1,
        ["worker_0", "worker_1"],
        ["worker_0"],
    )
