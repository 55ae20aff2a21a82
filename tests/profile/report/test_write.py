"""The report as a file: whole for every job, small, and without an address that anything would be fetched from."""

import base64
import gzip
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import nbformat
import pyarrow as pa
import pytest

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.profile import JobFacts, Profile
from sagehound.profile.report import write_report
from sagehound.profile.report.material import Material
from sagehound.profile.report.page import SECTIONS, page
from sagehound.profile.tables import CURVES, OPERATORS, SYSTEM
from sagehound.testing.recorded_profile import RecordedProfile, healthy_gpu, loader_bound

HOSTILE = "</script><script>alert(1)</script>\"'&<img src=x onerror=alert(2)>$$x$$\u202e\x00\ud800"

SLOW = Verdict(
    rule="LoaderBound",
    findings=(
        Finding(
            rule="LoaderBound",
            message="Steps waited 60 % of their time for the loader.",
            change="Load in more processes.",
            code="DataLoader(dataset, num_workers=4)",
            evidence={"share": 0.6, "limit": 0.2},
            from_s=1_700_000_005.0,
            to_s=1_700_000_060.0,
            gain_s=30.0,
            estimate="300 steps without their wait",
        ),
    ),
    violations=1,
    datapoints=300,
    parameters={"threshold": 20},
)


class Page(HTMLParser):
    """What of a page can be checked without a browser."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, *names: str) -> list[tuple[str, dict[str, str | None]]]:
        return [each for each in self.tags if each[0] in names]


def written(
    folder: Path, profile: Profile, verdicts: tuple[Verdict, ...] = (), debugger: tuple[dict, ...] = ()
) -> Page:
    path = write_report(profile, verdicts, debugger, folder)
    assert path.stat().st_size < 3_000_000
    page = Page(path.read_text())
    assert page.open == []
    return page


def test_the_first_screen_says_where_the_time_went_and_what_to_change(tmp_path: Path) -> None:
    page = written(tmp_path, loader_bound().profile, (SLOW,))
    assert "waiting for data, 50 %" in page.text
    assert "Saves about 30 s (42 % of the job)" in page.text
    assert page.text.index("DataLoader(dataset, num_workers=4)") < page.text.index("All charts share one axis")


def test_a_machine_that_was_busy_with_something_else_is_told(tmp_path: Path) -> None:
    def cores(job: float) -> Profile:
        begin = loader_bound().profile.job.started_s or 0.0
        used = {"cpu0": 100.0, "cpu1": 90.0, "job": job}
        rows = [
            {"timestamp_s": begin + at, "node": "algo-1", "dimension": "CPUUtilization", "name": name, "value": value}
            for at in range(1, 9)
            for name, value in used.items()
        ]
        return replace(loader_bound().profile, system=pa.Table.from_pylist(rows, schema=SYSTEM))

    said = "Something else used 63 % of the cores meanwhile, on average, and this job 32 %"
    assert said in written(tmp_path, cores(32.0)).text
    assert "Something else" not in written(tmp_path, cores(80.0)).text
    assert "Something else" not in written(tmp_path, cores(1.0)).text


def test_every_section_has_a_heading_and_every_link_a_target(tmp_path: Path) -> None:
    page = written(tmp_path, healthy_gpu().profile, (SLOW, Verdict(rule="BatchSize", unable="no GPU")))
    ids = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    assert {attrs["href"] for _, attrs in page.all("a")} <= {f"#{each}" for each in ids}
    sections = page.all("section")
    assert len(sections) == len(SECTIONS)
    assert {attrs["aria-labelledby"] for _, attrs in sections} <= set(ids)


def test_traces_are_linked_where_they_lie(tmp_path: Path) -> None:
    operators = "framework/pytorch/detailed_profiling/2026112520/000000010/7-algo-1.trace.json"
    steps = "framework/pevents/2026112520/1_7-algo-1_pythontimeline.json"
    material = Material(replace(loader_bound().profile, traces=(steps, operators)))
    beside = Page(page(material))
    assert [href for href in hrefs(beside) if not href.startswith("#")] == [
        f"../../../profiler-output/{operators}",
        f"../../../profiler-output/{steps}",
    ]
    assert "drag the file into it" in beside.text and not beside.all("iframe")
    local = Page(page(replace(material, source=str(tmp_path / "a b" / "profiler-output"))))
    assert f"{tmp_path.as_uri()}/a%20b/profiler-output/{operators}" in hrefs(local)
    stored = Page(page(replace(material, source="s3://bucket/job/profiler-output")))
    assert f"aws s3 cp s3://bucket/job/profiler-output/{operators} ." in stored.text
    assert "No trace was recorded" in Page(page(Material(loader_bound().profile))).text


def hrefs(found: Page) -> list[str]:
    return [str(attrs["href"]) for _, attrs in found.all("a")]


def test_headings_are_in_order_and_tables_have_captions_and_scopes(tmp_path: Path) -> None:
    page = written(tmp_path, healthy_gpu().profile, (SLOW,))
    levels = [int(tag[1]) for tag, _ in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table")) > 8
    assert all(attrs.get("scope") in ("col", "row") for _, attrs in page.all("th"))
    assert [tag for tag, _ in page.all("header", "nav", "main", "footer")] == ["header", "nav", "main", "footer"]


def test_charts_have_their_numbers_in_words(tmp_path: Path) -> None:
    page = written(tmp_path, healthy_gpu().profile)
    charts = [attrs for _, attrs in page.all("div") if "live" in str(attrs.get("class")).split()]
    assert len(charts) >= 6
    assert all(attrs["role"] == "img" and "usually" in str(attrs["aria-label"]) for attrs in charts)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    profile = loader_bound().profile
    job = replace(
        profile.job, name=HOSTILE, facts={HOSTILE: HOSTILE}, problems=(HOSTILE,), hosts=(HOSTILE,), status=HOSTILE
    )
    safe = HOSTILE.replace("\ud800", "").replace("\x00", "")
    curves = pa.Table.from_pylist([{"timestamp_s": job.started_s + 6, "name": safe, "value": 1.0}], schema=CURVES)
    operator = {"node": safe, "name": safe, "device": safe, "calls": 1, "self_s": 1.0, "total_s": 1.0, "stack": safe}
    sample = {"timestamp_s": job.started_s + 1, "node": safe, "dimension": "CPUUtilization", "name": safe, "value": 5.0}
    profile = replace(
        profile,
        job=job,
        curves=curves,
        operators=pa.Table.from_pylist([operator], schema=OPERATORS),
        system=pa.Table.from_pylist([sample], schema=SYSTEM),
    )
    finding = replace(SLOW.findings[0], message=HOSTILE, change=HOSTILE, code=HOSTILE, evidence={HOSTILE: HOSTILE})
    verdict = replace(SLOW, rule=HOSTILE, findings=(finding,), parameters={HOSTILE: HOSTILE})
    debugger = {"rule": HOSTILE, "message": HOSTILE, "why": HOSTILE, "change": HOSTILE, "numbers": {HOSTILE: HOSTILE}}
    path = write_report(profile, (verdict, Verdict(rule="A", unable=HOSTILE)), (debugger,), tmp_path)
    page = Page(path.read_text())
    assert page.all("img") == []
    packed = "application/gzip;base64"
    assert [attrs.get("type") for _, attrs in page.all("script")] == [packed, "application/json", packed, None, None]
    assert "\u202e" not in path.read_text()
    notebook = nbformat.read(path.with_suffix(".ipynb"), 4)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            compile(cell["source"], "cell", "exec")


def test_nothing_is_fetched_from_anywhere(tmp_path: Path) -> None:
    path = write_report(healthy_gpu().profile, (SLOW,), (), tmp_path)
    addresses = set(re.findall(r"https?://[\w.]+", path.read_text()))
    assert addresses <= {"http://www.w3.org"}  # names of XML's namespaces
    policy = [attrs["content"] for _, attrs in Page(path.read_text()).all("meta") if attrs.get("http-equiv")]
    assert policy and str(policy[0]).startswith("default-src 'none'")


@pytest.mark.parametrize(
    "profile",
    [
        Profile(job=JobFacts(name="nothing")),
        Profile(job=JobFacts(name="died", status="Failed", started_s=1_700_000_000.0, ended_s=1_700_000_000.4)),
        Profile(job=JobFacts(name="back", started_s=1_700_000_100.0, ended_s=1_700_000_000.0)),
        RecordedProfile(steps=0).profile,
        RecordedProfile(steps=1, init_s=0.0, final_s=0.0, eval_every=0).profile,
        RecordedProfile(steps=20, init_s=1.0, nodes=("algo-1", "algo-2")).profile,
    ],
    ids=["nothing", "died", "clock went back", "no steps", "one step", "two hosts"],
)
def test_a_job_of_any_course_has_a_report(tmp_path: Path, profile: Profile) -> None:
    page = written(tmp_path, profile)
    assert profile.job.name in page.text
    assert "nan" not in page.text.lower().split()


def test_values_that_are_no_numbers_are_told_not_drawn(tmp_path: Path) -> None:
    profile = loader_bound().profile
    at_s = (profile.job.started_s or 0.0) + 10
    rows = [
        {"timestamp_s": at_s + i, "name": "loss", "value": v} for i, v in enumerate((1.0, float("nan"), float("inf")))
    ]
    page = written(tmp_path, replace(profile, curves=pa.Table.from_pylist(rows, schema=CURVES)))
    assert "2 of the values of loss are no numbers" in page.text


def test_a_clock_that_jumps_does_not_bend_the_axis(tmp_path: Path) -> None:
    profile = loader_bound().profile
    odd = {"timestamp_s": 5.0, "node": "algo-1", "dimension": "CPUUtilization", "name": "cpu0", "value": 99.0}
    system = pa.concat_tables([pa.Table.from_pylist([odd], schema=SYSTEM), profile.system])
    page = written(tmp_path, replace(profile, system=system))
    assert "1 samples carry times outside the job" in page.text
    assert "1970" not in page.text


def test_what_was_wrong_with_the_data_is_said(tmp_path: Path) -> None:
    profile = loader_bound().profile
    page = written(tmp_path, replace(profile, job=replace(profile.job, problems=("the last line of x is cut off",))))
    assert "The last line of x is cut off." in page.text


def test_rules_that_could_not_judge_give_their_reason(tmp_path: Path) -> None:
    page = written(tmp_path, loader_bound().profile, (Verdict(rule="BatchSize", unable="this machine has no GPU"),))
    assert "Could not judge: this machine has no GPU" in page.text
    assert "No rule could judge this job." in page.text


def test_a_page_is_replaced_as_a_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for _ in range(2):
        write_report(loader_bound().profile, (), (), tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["profiler-report.html", "profiler-report.ipynb"]


def test_the_figures_are_json(tmp_path: Path) -> None:
    text = write_report(loader_bound().profile, (), (), tmp_path).read_text()
    figures = re.search(r'<script type="application/gzip;base64" id="figures">(.*?)</script>', text, re.DOTALL)
    assert figures is not None
    assert len(json.loads(gzip.decompress(base64.b64decode(figures[1])))["roots"]) >= 6
