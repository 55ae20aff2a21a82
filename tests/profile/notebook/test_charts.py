"""Charts: what they show, and that a browser can."""

from pathlib import Path

import numpy as np
import pytest
from bokeh.layouts import column

from sagehound.errors import InvalidInput
from sagehound.profile.notebook.algorithm_metrics_reader import LocalAlgorithmMetricsReader
from sagehound.profile.notebook.chart import Chart
from sagehound.profile.notebook.heatmap import Heatmap
from sagehound.profile.notebook.metrics_histogram import MetricsHistogram
from sagehound.profile.notebook.step_histogram import StepHistogram
from sagehound.profile.notebook.step_timeline_chart import StepTimelineChart
from sagehound.profile.notebook.system_metrics_reader import LocalSystemMetricsReader
from sagehound.profile.notebook.timeline_charts import TimelineCharts
from sagehound.profile.series import series_of
from tests.profile.notebook.profiles import Written, written  # noqa: F401

#: Milliseconds that the first chart shows.
IN_VIEW = """(() => {
    const found = [...Bokeh.documents[0]._all_models.values()].find((each) => each.type == 'Figure');
    return found.x_range.end - found.x_range.start;
})()"""


@pytest.fixture
def system(written: Written) -> LocalSystemMetricsReader:  # noqa: F811
    return LocalSystemMetricsReader(written.path)


@pytest.fixture
def framework(written: Written) -> LocalAlgorithmMetricsReader:  # noqa: F811
    return LocalAlgorithmMetricsReader(written.path)


def test_a_timeline_has_a_chart_a_dimension_and_the_phases_below(system, framework):
    charts = TimelineCharts(system, framework, select_dimensions=["CPU", "Memory"], select_events=[".*"])
    assert list(charts.sources) == [
        *("CPUUtilization-nodeid:algo-1", "GPUMemoryUtilization-nodeid:algo-1", "MemoryUsedPercent-nodeid:algo-1"),
        *("CPUUtilization-nodeid:algo-2", "GPUMemoryUtilization-nodeid:algo-2", "MemoryUsedPercent-nodeid:algo-2"),
    ]
    assert list(charts.sources["CPUUtilization-nodeid:algo-1"]) == ["cpu0", "cpu1", "job", "total"]
    assert len(charts.figures) == 7 and charts.figures[-1].title.text == "Where the steps' time went"
    assert len({id(each.x_range) for each in charts.figures}) == 1


def test_the_total_is_the_mean_of_the_cores(system, written: Written):  # noqa: F811
    charts = TimelineCharts(system, select_dimensions=["CPU"], select_events=["total"], show_workers=True)
    (source,) = charts.sources["CPUUtilization-nodeid:algo-2"].values()
    cores = [
        s.values for n in ("cpu0", "cpu1") for s in series_of(written.profile.system, "CPUUtilization", n, "algo-2")
    ]
    np.testing.assert_allclose(source.data["y"], np.mean(cores, axis=0))


def test_the_last_samples_are_in_view_at_first(system):
    charts = TimelineCharts(system, select_dimensions=["CPU"], x=10)
    assert charts.figures[0].x_range.end - charts.figures[0].x_range.start == pytest.approx(9 * 500)


def test_what_is_selected_is_told(system, framework, capsys):
    charts = TimelineCharts(system, framework, select_dimensions=["CPU"])
    spent = charts.find_time_annotations([20, 24])
    assert any(name.startswith("backward_") for name in spent) and all(time > 0 for time in spent.values())
    assert "ms (cumulative time) in backward_" in capsys.readouterr().out
    assert charts.plot_detailed_profiler_data([20, 24]).figure.y_range.factors
    assert charts.find_time_annotations([]) == {}


def test_new_samples_are_shown(tmp_path, written: Written):  # noqa: F811
    files = sorted((written.path / "system").rglob("*.json"))
    for path in files[:2]:
        copy = tmp_path / path.relative_to(written.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines(keepends=True)
        copy.write_text("".join(lines[: len(lines) // 2]))
    reader = LocalSystemMetricsReader(tmp_path)
    charts = TimelineCharts(reader, select_dimensions=["CPU"])
    source = charts.sources["CPUUtilization-nodeid:algo-1"]["cpu0"]
    before, end = len(source.data["x"]), charts.figures[0].x_range.end
    for path in files:
        copy = tmp_path / path.relative_to(written.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())
    charts.update_data(1e18)
    assert len(source.data["x"]) > before and charts.figures[0].x_range.end > end


def test_nothing_that_is_asked_for_is_told_with_what_there_is(system):
    with pytest.raises(
        InvalidInput, match=r"no metric has .*\['TPU'\].*there are CPUUtilization-nodeid:algo-1, .*cpu0"
    ):
        TimelineCharts(system, select_dimensions=["TPU"])


def test_nothing_at_all_is_told(tmp_path):
    with pytest.raises(InvalidInput, match="no system metrics in this stretch of time"):
        Heatmap(LocalSystemMetricsReader(tmp_path))
    with pytest.raises(InvalidInput, match="no steps yet"):
        StepTimelineChart(LocalAlgorithmMetricsReader(tmp_path))
    with pytest.raises(InvalidInput, match="no events at all"):
        StepHistogram(LocalAlgorithmMetricsReader(tmp_path)).plot()


def test_a_heatmap_has_a_row_for_each(system):
    rows = Heatmap(system).source.data
    assert "CPUUtilization cpu0 algo-1" in rows["metric"] and "GPUUtilization gpu0 algo-2" in rows["metric"]
    values = np.concatenate(rows["image"])
    assert values.shape[0] == len(rows["metric"]) and values.min() >= 0 and values.max() <= 100


def test_a_histogram_counts_every_sample(system, written: Written):  # noqa: F811
    histogram = MetricsHistogram(system)
    histogram.plot(select_dimensions=["CPU"], select_events=["cpu0"])
    (series,) = series_of(written.profile.system, "CPUUtilization", "cpu0", "algo-1")
    counted = histogram.sources["CPUUtilization-nodeid:algo-1"]["cpu0"].data
    assert counted["top"].sum() == len(series.values)
    assert (counted["left"][0], counted["right"][-1]) == (0, 100)
    histogram.update_data(1e18)
    histogram.clear()
    assert histogram.figure is None


def test_steps_are_counted_by_row_and_node(framework):
    histogram = StepHistogram(framework)
    histogram.plot()
    assert set(histogram.sources) == {
        f"{row}-nodeid:{node}"
        for row in ("Step:ModeKeys.TRAIN", "Step:ModeKeys.EVAL", "Forward", "Backward(post-forward)")
        for node in ("algo-1-100", "algo-2-101")
    }
    assert histogram.sources["Step:ModeKeys.TRAIN-nodeid:algo-1-100"].data["top"].sum() == 60
    histogram.plot(select_metrics=["Forward-node"], show_workers=False)
    assert histogram.sources["Forward"].data["top"].sum() == 140


def test_steps_over_time_have_a_line_a_mode_and_node(framework):
    chart = StepTimelineChart(framework, width=10)
    assert {name: len(source.data["y"]) for name, source in chart.sources.items()} == {
        f"Step:ModeKeys.{mode} {node}": count
        for mode, count in (("TRAIN", 60), ("EVAL", 10))
        for node in ("algo-1-100", "algo-2-101")
    }
    assert chart.sources["Step:ModeKeys.TRAIN algo-1-100"].data["step"].tolist() == list(range(60))
    chart.update_data(1e18)
    assert chart.figure.y_range.end > 0


def test_a_page_needs_nothing_else_zooms_by_the_wheel_and_has_no_fault(tmp_path, system, framework):
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = next((p for p in map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser")) if p.exists()), None)
    if chromium is None:
        pytest.skip("there is no /usr/bin/chromium on this machine")
    timeline = TimelineCharts(system, framework)
    charts = [timeline, timeline.plot_detailed_profiler_data([20, 24]), Heatmap(system), StepTimelineChart(framework)]
    for histogram in (MetricsHistogram(system), StepHistogram(framework)):
        histogram.plot()
        charts.append(histogram)
    every = Chart()
    every.figure = column([chart.figure for chart in charts])
    faults = []
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda asked: faults.append(asked.url) if asked.url.startswith("http") else None)
        page.goto(every.save(tmp_path / "charts.html").as_uri())
        page.wait_for_selector(".bk-Figure canvas")
        before = page.evaluate(IN_VIEW)
        page.mouse.move(400, 130)
        page.mouse.wheel(0, -120)
        page.wait_for_function(f"({IN_VIEW}) < {before}")
        browser.close()
    assert faults == []
