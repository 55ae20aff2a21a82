"""The report in a real browser: it draws, zooms, fits a phone, follows the colour scheme, prints, and asks nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.report import write_report
from sagehound.testing.recorded_profile import healthy_gpu
from tests.pages.visit import MARKS, Visit, chromium, sync_api

HOSTILE = "<img src=x onerror=alert(1)>" + "x" * 120

pytestmark = MARKS


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    finding = Finding(rule="A", message=HOSTILE, change=HOSTILE, code=HOSTILE, evidence={HOSTILE: HOSTILE}, gain_s=9.0)
    verdict = Verdict(rule=HOSTILE, findings=(finding,) * 3, violations=3, parameters={HOSTILE: HOSTILE})
    return write_report(healthy_gpu().profile, (verdict,), (), tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with chromium() as started:
        yield started


def shown(visit: Visit) -> tuple[float, float]:
    start, end = visit.page.evaluate("[report.time.start, report.time.end]")
    return start, end


def test_a_drag_zooms_all_charts_and_the_buttons_lead_back(browser: "sync_api.Browser", report: Path) -> None:
    visit = Visit(browser, report, viewport={"width": 1280, "height": 900})
    whole = shown(visit)
    chart = visit.page.locator("#chart-steps")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    visit.page.mouse.move(box["x"] + 300, box["y"] + 60)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 500, box["y"] + 60, steps=4)
    visit.page.mouse.up()
    zoomed = shown(visit)
    assert whole[0] < zoomed[0] < zoomed[1] < whole[1]
    assert "UTC" in visit.page.locator("#shown").inner_text()
    visit.page.get_by_role("button", name="Later").click()
    assert shown(visit)[0] > zoomed[0]
    visit.page.get_by_role("button", name="Whole job").click()
    assert shown(visit) == whole
    visit.page.get_by_role("button", name="Zoom in").click()
    start, end = shown(visit)
    assert end - start == pytest.approx((whole[1] - whole[0]) / 2)
    visit.check(report)


def test_every_chart_is_drawn_and_follows_the_colour_scheme(browser: "sync_api.Browser", report: Path) -> None:
    visit = Visit(browser, report, viewport={"width": 1280, "height": 900}, color_scheme="light")
    colours = """() => Bokeh.documents.at(-1).roots().map(
        (root) => [...root.references()].filter((m) => m.type === "LinearAxis")[0].major_label_text_color)"""
    charts = visit.page.locator("main .live").count()
    assert visit.page.locator("main .live canvas").count() >= charts >= 6
    light = visit.page.evaluate(colours)
    visit.page.emulate_media(color_scheme="dark")
    visit.wait_for(f"({colours})()[0] !== {light[0]!r}")
    assert len(visit.page.evaluate(colours)) == charts
    visit.check(report)


def test_a_phone_shows_it_without_scrolling_sideways(browser: "sync_api.Browser", report: Path) -> None:
    visit = Visit(browser, report, viewport={"width": 375, "height": 740}, has_touch=True, is_mobile=True)
    events = visit.page.locator("#chart-steps .bk-events").first
    assert events.evaluate("(each) => getComputedStyle(each).touchAction") == "auto"  # a finger scrolls the page
    visit.page.set_viewport_size({"width": 812, "height": 375})
    visit.wait_for("document.querySelector('#chart-steps').clientWidth > 600")
    visit.check(report)


def test_it_prints_with_drawings_in_place_of_the_live_charts(browser: "sync_api.Browser", report: Path) -> None:
    visit = Visit(browser, report, viewport={"width": 1280, "height": 900}, color_scheme="dark")
    assert visit.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    visit.page.emulate_media(media="print")
    assert visit.page.locator("main svg.still").first.is_visible()
    assert not visit.page.locator("#chart-steps").is_visible()
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    visit.check(report)


def test_without_scripts_the_drawings_stand_there(browser: "sync_api.Browser", report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("main svg.still").first.is_visible()
    assert not page.get_by_role("button", name="Zoom in").is_visible()
    context.close()
