"""The index of tensors."""

from sagehound.debug.modes import ModeKeys
from sagehound.debug.reading.saved_tensors import LayoutIndex, SavedTensors
from sagehound.debug.store.records import TensorInfo
from sagehound.testing.recorded_run import RecordedRun, info

LOSS, OTHER = info("loss", "loss"), info("other", "custom", ("mine",))
TRAIN, EVAL, GLOBAL = ModeKeys.TRAIN, ModeKeys.EVAL, ModeKeys.GLOBAL


class Counting(RecordedRun):
    """How often a layout was asked for."""

    asked = 0

    def layout(self, worker: str, number: int):
        self.asked += 1
        return super().layout(worker, number)


def index(run: RecordedRun, start: int = 0, into: SavedTensors | None = None) -> SavedTensors:
    tensors = into or SavedTensors(run)
    for step in list(run.steps("worker_0"))[start:]:
        tensors.add("worker_0", step)
    return tensors


def test_steps_of_a_tensor_in_each_mode() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0})
    run.save({LOSS: 1.0, OTHER: 1.0})
    run.save({LOSS: 1.0}, mode=EVAL)
    run.save({OTHER: 1.0}, skip=5)
    tensors = index(run)
    assert tensors.steps("loss", GLOBAL) == [0, 1, 2]
    assert tensors.steps("loss", TRAIN) == [0, 1]
    assert tensors.steps("loss", EVAL) == [0]
    assert tensors.steps("other", TRAIN) == [1, 7]
    assert tensors.steps("nothing", TRAIN) == []
    assert tensors.in_mode(EVAL) == {"loss"}
    assert tensors.in_mode(ModeKeys.PREDICT) == set()
    assert tensors.collections() == {"losses": {"loss"}, "mine": {"other"}}


def test_what_is_added_after_a_question_is_in_the_next_answer() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0})
    tensors = index(run)
    assert tensors.steps("loss", TRAIN) == [0]
    run.save({LOSS: 1.0, OTHER: 1.0})  # names that were not saved together before
    run.save({LOSS: 1.0})
    index(run, 1, tensors)
    assert tensors.steps("loss", TRAIN) == [0, 1, 2]
    assert tensors.steps("other", GLOBAL) == [1]


def test_a_layout_for_each_step_is_read_once_each() -> None:
    run = Counting()
    for _ in range(50):
        run.save({LOSS: 1.0})
    tensors = index(run)
    before = run.asked
    for _ in range(10):
        tensors.steps("loss", TRAIN)
    assert run.asked == before
    assert before <= 52


def test_reductions_of_a_layout_begin_after_those_before() -> None:
    layout = LayoutIndex(
        (
            TensorInfo(name="a", kind="custom", reductions=("min", "max")),
            TensorInfo(name="b", kind="custom"),
            TensorInfo(name="c", kind="custom", reductions=("l2",)),
        )
    )
    assert layout.offsets == {"a": 0, "b": 2, "c": 2}
