"""A real browser that opens a page of ours and remembers what the page said and asked for."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MARKS = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"),
    # Playwright's own sockets and event loop are closed after pytest looks for what was left open.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@contextmanager
def chromium() -> Iterator["sync_api.Browser"]:
    """The browser, until the end of the block."""
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS, env={**os.environ, "LANG": "C.UTF-8"})
        yield started
        started.close()


class Visit:
    """A page that was opened, and what it said and asked for."""

    def __init__(self, browser: "sync_api.Browser", path: Path, **options: object) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda each: self.said.append(each.text) if each.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda each: self.said.append(str(each)))
        self.page.on("dialog", lambda each: self.said.append(f"dialog {each.message}"))
        self.page.on("request", lambda each: self.asked.append(each.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-charts]")

    def wait_for(self, condition: str) -> None:
        """Asks until it holds; the page's own policy forbids the browser's way of waiting, which compiles a string."""
        for _ in range(250):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(20)
        pytest.fail(f"never came true: {condition}")

    def check(self, path: Path) -> None:
        """Nothing was wrong, nothing was asked for but the file, and nothing is wider than the screen."""
        assert self.said == []
        assert self.asked == [path.as_uri()]
        wide, screen = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= screen
        self.context.close()
