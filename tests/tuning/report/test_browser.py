"""The page of a tuning job in a real browser: it draws, tells, zooms, chooses, fits a phone, prints, asks nobody."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sagehound.tuning.report.page import write_page
from tests.pages.visit import MARKS, Visit, chromium, sync_api
from tests.tuning.report.studies import study

HOSTILE = "<img src=x onerror=alert(1)>" + "x" * 120
DESKTOP = {"width": 1280, "height": 900}

pytestmark = MARKS


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = study(40)
    trials = tuple(replace(each, failure=HOSTILE if each.failure else "") for each in given.trials)
    folder = tmp_path_factory.mktemp("page")
    return write_page(replace(given, trials=trials, sdk=HOSTILE, static={HOSTILE: HOSTILE}), folder / "page.html")


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with chromium() as started:
        yield started


def test_pointing_at_a_trial_tells_its_values(browser: "sync_api.Browser", page: Path) -> None:
    visit = Visit(browser, page, viewport=DESKTOP)
    chart = visit.page.locator("#chart-objective")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    x, y = visit.page.evaluate(
        """() => { const figure = report.figures.objective, { frame } = Bokeh.index.get_one(figure);
        const best = figure.renderers.at(-1).data_source.data;
        return [frame.x_scale.compute(best.x[0]), frame.y_scale.compute(best.y[0])]; }"""
    )
    visit.page.mouse.move(box["x"] + x, box["y"] + y)
    visit.wait_for("report.figures.objective.renderers.at(-1).data_source.inspected.indices.length === 1")
    told = """[...document.querySelectorAll("#chart-objective *"), ...document.querySelectorAll("body *")]
        .flatMap((each) => each.shadowRoot ? [...each.shadowRoot.querySelectorAll("*")] : [])
        .some((each) => each.textContent.includes("batch_size"))"""
    visit.wait_for(f"(() => {told})()")
    visit.check(page)


def test_a_drag_zooms_a_chart_and_the_button_leads_back(browser: "sync_api.Browser", page: Path) -> None:
    visit = Visit(browser, page, viewport=DESKTOP)
    ranges = "[report.figures.objective.x_range.start, report.figures.objective.x_range.end]"
    whole = visit.page.evaluate(ranges)
    chart = visit.page.locator("#chart-objective")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    visit.page.mouse.move(box["x"] + 300, box["y"] + 40)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 600, box["y"] + 150, steps=4)
    visit.page.mouse.up()
    zoomed = visit.page.evaluate(ranges)
    assert whole[0] < zoomed[0] < zoomed[1] < whole[1]
    button = visit.page.locator("button[data-whole=objective]")
    button.click()
    assert visit.page.evaluate(ranges) == whole
    assert not button.is_visible()
    visit.check(page)


def test_a_drag_along_an_axis_chooses_the_trials_that_pass_there(browser: "sync_api.Browser", page: Path) -> None:
    visit = Visit(browser, page, viewport=DESKTOP)
    chart = visit.page.locator("#chart-parallel")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    axis = visit.page.evaluate(
        """() => { const view = Bokeh.index.get_one(report.parallel);
        return [view.frame.x_scale.compute(4), view.frame.y_scale.compute(1.02), view.frame.y_scale.compute(0.9)]; }"""
    )
    visit.page.mouse.move(box["x"] + axis[0] - 20, box["y"] + axis[1])
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + axis[0] + 20, box["y"] + axis[2], steps=4)
    visit.page.mouse.up()
    visit.wait_for("document.getElementById('chosen').textContent !== ''")
    assert visit.page.locator("#chosen").inner_text().endswith(" of 38 trials")
    faint = "report.lines.flatMap((source) => Array.from(source.data.seen)).filter((each) => each < 0.1).length"
    assert visit.page.evaluate(faint) > 5
    visit.page.get_by_role("button", name="All trials").click()
    visit.wait_for(f"{faint} === 0")
    visit.check(page)


def test_every_chart_is_drawn_and_follows_the_colour_scheme(browser: "sync_api.Browser", page: Path) -> None:
    visit = Visit(browser, page, viewport=DESKTOP, color_scheme="light")
    charts = visit.page.locator("main .live").count()
    assert charts == 8
    assert visit.page.locator("main .live canvas").count() >= charts
    ink = "[...report.parallel.references()].find((each) => (each.tags || []).includes('q0')).line_color.value"
    light = visit.page.evaluate(ink)
    visit.page.emulate_media(color_scheme="dark")
    visit.wait_for(f"({ink}) !== {light!r}")
    visit.check(page)


def test_a_phone_shows_it_without_scrolling_sideways(browser: "sync_api.Browser", page: Path) -> None:
    visit = Visit(browser, page, viewport={"width": 375, "height": 740}, has_touch=True, is_mobile=True)
    events = visit.page.locator("#chart-objective .bk-events").first
    assert events.evaluate("(each) => getComputedStyle(each).touchAction") == "auto"  # a finger scrolls the page
    visit.check(page)


def test_it_prints_with_drawings_in_place_of_the_live_charts(browser: "sync_api.Browser", page: Path) -> None:
    visit = Visit(browser, page, viewport=DESKTOP, color_scheme="dark")
    assert visit.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    visit.page.emulate_media(media="print")
    assert visit.page.locator("main svg.still").first.is_visible()
    assert not visit.page.locator("#chart-objective").is_visible()
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    visit.check(page)


def test_the_command_can_be_copied(browser: "sync_api.Browser", page: Path) -> None:
    visit = Visit(browser, page, viewport=DESKTOP, permissions=["clipboard-read", "clipboard-write"])
    visit.page.locator("button[data-copy=command]").click()
    visit.wait_for("['Copied', 'Press Ctrl+C'].includes(document.querySelector('button[data-copy]').textContent)")
    assert visit.page.evaluate("navigator.clipboard.readText()").startswith("python -m sagehound.vision.train")
    visit.check(page)


def test_without_scripts_the_drawings_stand_there(browser: "sync_api.Browser", page: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(page.as_uri())
    assert opened.locator("main svg.still").first.is_visible()
    assert not opened.locator("button").first.is_visible()
    context.close()
