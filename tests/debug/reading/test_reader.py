"""How often a source is looked at."""

from sagehound.debug.modes import ModeKeys
from sagehound.debug.reading.reader import Reader
from sagehound.debug.reading.saved_steps import StepState
from sagehound.testing.recorded_run import RecordedRun, info

LOSS = info("loss", "loss")


class SlowRun(RecordedRun):
    """Each look takes as long as `takes_s`, by a clock of its own."""

    now, takes_s, looks = 100.0, 0.01, 0

    def refresh(self) -> bool:
        self.now += self.takes_s
        self.looks += 1
        return True


def reader(run: SlowRun) -> Reader:
    made = Reader(run, clock=lambda: run.now)
    made.refresh()
    return made


def test_a_source_is_not_looked_at_all_the_time() -> None:
    run = SlowRun()
    asked = reader(run)
    for _ in range(1050):
        run.now += 0.001
        asked.look_again()
    assert run.looks - 1 == 5  # after each look of 10 ms a pause of 200 ms


def test_a_slow_source_is_looked_at_after_half_a_second_all_the_same() -> None:
    run = SlowRun()
    run.takes_s = 3.0
    asked = reader(run)
    run.now += 0.4
    asked.look_again()
    assert run.looks == 1
    run.now += 0.2
    asked.look_again()
    assert run.looks == 2


def test_nobody_looks_after_the_end_or_while_it_is_switched_off() -> None:
    run = SlowRun()
    asked = reader(run)
    run.now += 10
    asked.live = False
    asked.look_again()
    assert run.looks == 1
    asked.end()
    asked.live = True
    run.now += 10
    asked.look_again()
    asked.refresh()
    assert run.looks == 2


def test_what_the_hook_counted_says_more_than_what_it_saved() -> None:
    run = SlowRun()
    run.save({LOSS: 1.0})
    run.save({LOSS: 1.0}, skip=9)
    asked = reader(run)
    assert asked.state_of(5, ModeKeys.TRAIN) is StepState.UNAVAILABLE
    assert asked.state_of(12, ModeKeys.TRAIN) is StepState.NOT_YET_AVAILABLE
    run._state.passed = {"TRAIN": 14}
    assert asked.state_of(12, ModeKeys.TRAIN) is StepState.UNAVAILABLE
    assert asked.last_passed(ModeKeys.TRAIN) == 14
    assert asked.last_passed(ModeKeys.EVAL) == -1
