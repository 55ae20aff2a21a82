import pytest

from sagehound.profile.marks import WINDOW, new_marks
from sagehound.profile.step_windows import StepWindows
from sagehound.profile.window import Window


class Noted:
    def __init__(self, name: str, fails_at: int | None = None, hears_python: bool = False) -> None:
        self.name, self.fails_at, self.hears_python = name, fails_at, hears_python
        self.calls: list[tuple[str, int]] = []

    def start(self, step: int) -> None:
        self._note("start", step)

    def next_step(self, step: int) -> None:
        self._note("next", step)

    def stop(self, step: int) -> None:
        self._note("stop", step)

    def _note(self, what: str, step: int) -> None:
        self.calls.append((what, step))
        if step == self.fails_at:
            raise RuntimeError("the profiler is in use")


def test_each_scope_is_on_in_its_window_and_steps_between_are_skipped() -> None:
    first, second, marks = Noted("detailed"), Noted("python"), new_marks()
    windows = StepWindows([(first, Window(2, 2)), (second, Window(6, 1))], marks)
    step, visited = 0, []
    while True:
        visited.append(step)
        coming = windows.at_step(step)
        if coming is None:
            break
        step = coming
    assert visited == [0, 2, 3, 4, 6, 7]
    assert first.calls == [("start", 2), ("next", 3), ("stop", 4)]
    assert second.calls == [("start", 6), ("stop", 7)]
    assert [(mark[0], mark[3]) for mark in marks] == [(WINDOW, ("detailed", 2)), (WINDOW, ("python", 6))]


@pytest.mark.parametrize("start", [2, None])
def test_one_scope_at_a_time_has_the_interpreters_profile_hook(start: int | None) -> None:
    operators, functions = Noted("detailed", hears_python=True), Noted("python", hears_python=True)
    windows = StepWindows([(operators, Window(start, 3)), (functions, Window(start, 2))], new_marks())
    for step in range(2, 9):
        windows.at_step(step)
    assert (operators.calls[0], operators.calls[-1]) == (("start", 2), ("stop", 5))
    assert functions.calls == [("start", 5), ("next", 6), ("stop", 7)]


def test_a_training_that_ends_early_closes_its_window() -> None:
    scope = Noted("detailed")
    windows = StepWindows([(scope, Window(0, 10))], new_marks())
    windows.at_step(0)
    windows.close(1)
    windows.close(1)
    assert scope.calls == [("start", 0), ("stop", 1)]


def test_a_scope_that_fails_is_left_alone_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    broken, sound = Noted("detailed", fails_at=0), Noted("python")
    windows = StepWindows([(broken, Window(0, 3)), (sound, Window(0, 2))], new_marks())
    for step in range(4):
        windows.at_step(step)
    assert broken.calls == [("start", 0)]
    assert sound.calls == [("start", 0), ("next", 1), ("stop", 2)]
    assert capsys.readouterr().err == (
        "sagehound.profile: the detailed window ends at step 0: the profiler is in use\n"
    )


def test_a_window_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 5.0, 6.0, 9.0, 12.0])
    scope = Noted("detailed")
    windows = StepWindows([(scope, Window(None, 1, 5.0, 4.0))], new_marks(), lambda: next(times))
    for step in range(5):
        windows.at_step(step)
    assert scope.calls == [("start", 1), ("next", 2), ("stop", 3)]
