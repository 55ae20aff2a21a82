import gc
import weakref

from sagehound.debug.judging.running import Running
from sagehound.debug.store.records import Step
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun, info

LOSS = info("loss", "loss")


class Steps:
    def __init__(self) -> None:
        self.taken: list[int] = []

    def take(self, trial: Trial, record: Step) -> None:
        self.taken.append(record.step)


def saved(*gaps: int) -> RecordedRun:
    run = RecordedRun()
    for skip in gaps:
        run.save({LOSS: 1.0}, skip=skip)
    return run


def test_each_step_is_taken_in_once_and_in_order() -> None:
    running: Running[Steps] = Running()
    trial = saved(0, 0, 0, 0).trial()
    first = running.up_to(trial, 1, "a", Steps)
    assert first.taken == [0, 1]
    assert running.up_to(trial, 0, "a", Steps) is running.up_to(trial, 3, "a", Steps) is first
    assert first.taken == [0, 1, 2, 3]
    assert running.up_to(trial, 0, "b", Steps).taken == [0]


def test_a_step_that_comes_late_makes_it_begin_anew() -> None:
    running: Running[Steps] = Running()
    run = saved(1, 0)
    trial = run.trial()
    assert running.up_to(trial, 2, "a", Steps).taken == [1, 2]
    late = run.steps("worker_0")[0]
    run._steps.append(Step(step=0, mode="TRAIN", mode_step=0, layout=late.layout, at=0.0))
    trial.refresh_data()
    assert running.up_to(trial, 2, "a", Steps).taken == [0, 1, 2]


def test_a_trial_is_not_kept_alive() -> None:
    running: Running[Steps] = Running()
    trial = saved(0).trial()
    running.up_to(trial, 0, "a", Steps)
    gone = weakref.ref(trial)
    del trial
    gc.collect()
    assert gone() is None
