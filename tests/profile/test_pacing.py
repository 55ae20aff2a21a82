from sagehound.profile.marks import BEGIN, END, LOADER, new_marks
from sagehound.profile.pacing import Pacing

LOADER_A, LOADER_B, MODEL, OTHER = 1, 2, 3, 4


class Paced:
    def __init__(self) -> None:
        self.marks = new_marks()
        self.told: list[int] = []
        self.pacing = Pacing(self.marks, self.told.append)
        self.pacing.alarm = 10**9
        self._now = 0

    def pull(self, iterator: int = LOADER_A) -> None:
        self._now += 10
        self.pacing.pulled(iterator, self._now, self._now + 1)

    @property
    def begins(self) -> int:
        return sum(mark[0] is BEGIN for mark in self.marks)


def test_a_batch_begins_a_step_however_often_models_are_called() -> None:
    paced = Paced()
    for _ in range(3):
        paced.pull()
        for model in (OTHER, OTHER, MODEL, OTHER):
            paced.pacing.called(model)
            paced.pacing.optimized()
    assert paced.begins == paced.pacing.begun == 3


def test_a_step_begins_where_its_batch_is_asked_for() -> None:
    paced = Paced()
    paced.pull()
    assert list(paced.marks) == [(BEGIN, 10, 0, None), (LOADER, 10, 11, None)]


def test_batches_of_two_loaders_are_one_step() -> None:
    paced = Paced()
    for _ in range(3):
        paced.pull(LOADER_A)
        paced.pull(LOADER_B)
        paced.pacing.called(MODEL)
    assert paced.begins == 3


def test_batches_that_are_only_looked_at_begin_anew() -> None:
    paced = Paced()
    paced.pull()
    paced.pull()
    paced.pacing.called(MODEL)
    assert [mark[1] for mark in paced.marks if mark[0] is BEGIN] == [10, 20]


def test_without_a_loader_calls_of_the_first_model_begin_steps() -> None:
    paced = Paced()
    for _ in range(3):
        paced.pacing.called(MODEL)
        paced.pacing.called(OTHER)
        paced.pacing.optimized()
    assert paced.begins == 3


def test_another_model_takes_over_when_the_first_is_called_no_more() -> None:
    paced = Paced()
    paced.pacing.called(MODEL)
    paced.pacing.called(MODEL)
    for _ in range(20):
        paced.pacing.called(OTHER)
    assert paced.begins > 10


def test_one_batch_that_is_trained_on_for_long_does_not_hide_the_steps() -> None:
    paced = Paced()
    paced.pull()
    for _ in range(40):
        paced.pacing.called(MODEL)
        paced.pacing.optimized()
    assert 30 < paced.begins < 40


def test_the_end_of_the_data_ends_the_step() -> None:
    paced = Paced()
    paced.pacing.exhausted(1)
    assert not paced.marks
    paced.pull()
    paced.pacing.called(MODEL)
    paced.pacing.exhausted(77)
    paced.pacing.called(MODEL)
    assert [mark[0] for mark in paced.marks] == [BEGIN, LOADER, END, BEGIN]


def test_said_steps_are_all_there_are() -> None:
    paced = Paced()
    with paced.pacing.explicitly("EVAL"):
        paced.pacing.begin(1)
        paced.pull()
        for _ in range(9):
            paced.pacing.called(MODEL)
            paced.pull()
    assert [mark for mark in paced.marks if mark[0] is BEGIN] == [(BEGIN, 1, 0, "EVAL")]


def test_the_alarm_is_heard_once_it_is_reached() -> None:
    paced = Paced()
    paced.pacing.alarm = 3
    for _ in range(4):
        paced.pacing.called(MODEL)
    assert paced.told == [3, 4]
