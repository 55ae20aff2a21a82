"""The hook that a process has now, as `get_hook` gives it."""

from __future__ import annotations

from typing import Any

_hook: Any = None


def current_hook() -> Any:  # noqa: ANN401 - a Hook, which imports this
    return _hook


def set_current_hook(hook: Any) -> None:  # noqa: ANN401
    global _hook
    _hook = hook
