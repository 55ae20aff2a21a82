"""The notebook beside the report runs, and draws the report's charts."""

import json
from pathlib import Path

import nbformat

from sagehound.profile.report.course import course
from sagehound.profile.report.notebook import notebook
from sagehound.testing.recorded_profile import RecordedProfile

ONE_SAMPLE = '{"Type":"cpu","Name":"cpu0","Dimension":"CPUUtilization","Value":%f,"NodeId":"algo-1","Timestamp":%f}\n'


def test_it_is_valid_and_its_cells_run_on_the_profile_it_names(tmp_path: Path, capsys: object) -> None:
    samples = tmp_path / "profiler-output" / "system" / "incremental" / "202311142213" / "1700000010.algo-1.json"
    samples.parent.mkdir(parents=True)
    samples.write_text("".join(ONE_SAMPLE % (50.0, 1_700_000_000 + second) for second in range(10)))
    profile = RecordedProfile(steps=10).profile
    made = nbformat.reads(notebook(profile, str(tmp_path / "profiler-output")), 4)
    nbformat.validate(made)
    seen: dict[str, object] = {}
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            source = (
                cell["source"].replace("output_notebook(INLINE, hide_banner=True)", "pass").replace("show(", "str(")
            )
            exec(compile(source, "cell", "exec"), seen)
    assert [chart.key for chart in seen["drawn"]] == ["cpu"]  # type: ignore[attr-defined]
    assert seen["went"] == course(seen["profile"])  # type: ignore[arg-type]


def test_what_it_knows_of_the_job_is_data_not_code() -> None:
    hostile = "'''\"\"\"\\\n{0}{source}"
    profile = RecordedProfile(steps=1, name=hostile, facts={hostile: hostile}).profile
    made = json.loads(notebook(profile, hostile))
    read = next(cell["source"] for cell in made["cells"] if cell["cell_type"] == "code")
    seen: dict[str, object] = {}
    exec(read.split("profile = read_profile")[0], seen)
    assert seen["source"] == hostile
    assert seen["job"]["name"] == hostile  # type: ignore[index]
