import gc
import weakref

from sagehound.debug.judging.step_memory import STEPS_KEPT, StepMemory
from sagehound.testing.recorded_run import RecordedRun


def test_a_value_is_computed_once_for_a_trial_a_step_and_a_key() -> None:
    memory: StepMemory[int] = StepMemory()
    computed: list[int] = []

    def compute() -> int:
        computed.append(1)
        return len(computed)

    one, other = RecordedRun().trial(), RecordedRun().trial()
    asked = [(one, 0, "a"), (one, 0, "a"), (one, 0, "b"), (one, 1, "a"), (other, 0, "a"), (one, 0, "b")]
    assert [memory.get(*key, compute) for key in asked] == [1, 1, 2, 3, 4, 2]


def test_only_the_steps_used_last_are_kept() -> None:
    memory, trial = StepMemory[int](), RecordedRun().trial()
    for step in range(STEPS_KEPT):
        memory.get(trial, step, "a", lambda: 1)
    memory.get(trial, 0, "a", lambda: 2)
    memory.get(trial, STEPS_KEPT, "a", lambda: 1)
    assert [memory.get(trial, step, "a", lambda: 2) for step in (0, 1)] == [1, 2]


def test_a_trial_is_not_kept_alive() -> None:
    memory, trial = StepMemory[int](), RecordedRun().trial()
    memory.get(trial, 0, "a", lambda: 1)
    gone = weakref.ref(trial)
    del trial
    gc.collect()
    assert gone() is None
