from sagehound.profile.window import Window


def on(window: Window, times: list[float]) -> list[int]:
    """The steps at which it is on, where step i begins at times[i]."""
    found: list[int] = []
    first, began_s = -1, 0.0
    for step, now_s in enumerate(times):
        if first >= 0 and window.over(step, first, now_s, began_s):
            break
        if first < 0 and window.begins(step, now_s):
            first, began_s = step, now_s
        if first >= 0:
            found.append(step)
    return found


def test_steps() -> None:
    assert on(Window(start_step=2, steps=3), [0.0] * 9) == [2, 3, 4]
    assert on(Window(start_step=None, steps=2), [0.0] * 9) == [0, 1]


def test_time() -> None:
    times = [10.0, 11.0, 12.0, 13.0, 14.0]
    assert on(Window(start_step=None, start_s=11.0, duration_s=2.0), times) == [1, 2]
    assert on(Window(start_step=None, start_s=0.0, duration_s=2.0), times) == [0, 1]
    assert on(Window(start_step=None, start_s=12.0), times) == [2]
    assert on(Window(start_step=None, start_s=1.0, duration_s=2.0), times) == []
