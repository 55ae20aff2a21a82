"""Rules followed from records to verdicts, by processes."""

import json
from pathlib import Path

import psutil
import pytest

from sagehound.errors import ObjectStoreError
from sagehound.jobs.logs import read_lines
from sagehound.names import S3Uri
from sagehound.records.rules import ActionKind, RuleAction, RuleStatus
from sagehound.records.training import TrainingStatus
from tests.control.rule_house import House, rule

STOP = RuleAction(kind=ActionKind.STOP_TRAINING)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.store.close()


def test_verdicts_of_one_job(house):
    async def story():
        house.create(rule("Overfit", verdict="NoIssuesFound"), rule("AllZero", verdict="Error"))
        house.trains()
        assert (await house.says("InProgress")).details == ""
        house.ends()
        assert (await house.ended()).status is RuleStatus.NO_ISSUES_FOUND
        zero = await house.ended("AllZero")
        assert (zero.status, zero.details, zero.parent) == (RuleStatus.ERROR, "Error of AllZero", "job")

    house.run(story)


def test_what_was_found_is_stored_while_the_job_runs(house):
    async def story():
        house.create(rule("Overfit", says="IssuesFound", verdict="IssuesFound"))
        house.trains()
        await house.says("IssuesFound")
        place = S3Uri("bucket", "out/job/rule-output/Overfit/findings.json")
        await house.until(lambda: (house.settings.home / "s3" / "bucket" / place.key).is_file())
        stored = json.loads(house.objects.read(place))
        assert (stored["rule"], stored["findings"][0]["message"]) == ("Overfit", "it broke")
        assert not house.said().ended
        house.ends()
        assert (await house.ended()).status is RuleStatus.ISSUES_FOUND

    house.run(story)


def test_an_evaluator_that_dies_is_an_error_with_its_last_lines(house):
    async def story():
        house.create(rule("Overfit", fails="3"), rule("AllZero", says="NoIssuesFound"))
        house.trains()
        ended = await house.ended()
        assert ended.status is RuleStatus.ERROR
        assert "exit status 3" in ended.details
        assert "NameError: the last line" in ended.details

    house.run(story)


def test_a_custom_rule_has_a_process_and_a_source_of_its_own(house, tmp_path):
    (tmp_path / "mine.py").write_text("class Mine: ...")
    house.objects.put(tmp_path / "mine.py", S3Uri("bucket", "rules/mine.py"))

    async def story():
        house.create(
            rule("Overfit", fails="1"),
            rule("Mine", source_uri="s3://bucket/rules/mine.py", verdict="NoIssuesFound"),
            rule("Gone", source_uri="s3://bucket/rules/gone.py"),
        )
        house.trains()
        gone = await house.ended("Gone")
        assert gone.status is RuleStatus.ERROR
        assert "s3://bucket/rules/gone.py does not exist" in gone.details
        await house.ended("Overfit")
        await house.says("InProgress", "Mine")
        await house.until(lambda: (house.folder() / "rules" / "custom-1" / "request.json").exists())
        house.ends()
        assert (await house.ended("Mine")).status is RuleStatus.NO_ISSUES_FOUND
        request = json.loads((house.folder() / "rules" / "custom-1" / "request.json").read_text())
        assert request["rules"][0]["source"].endswith("/mine.py")
        assert request["trial"].endswith("s3/bucket/out/job/debug-output")

    house.run(story)


def test_a_job_that_never_trained_has_nothing_to_judge(house):
    async def story():
        house.create(rule())
        await house.says("InProgress")
        house.ends(status=TrainingStatus.FAILED)
        ended = await house.ended()
        assert ended.status is RuleStatus.STOPPED
        assert "before its script was started" in ended.details
        assert not (house.folder() / "rules").exists()

    house.run(story)


def test_stop_training_stops_the_rules_own_job_and_says_so(house):
    async def story():
        house.create(rule("Overfit", STOP, says="IssuesFound"))
        house.trains()
        await house.until(lambda: house.job().status is TrainingStatus.STOPPING)
        await house.until(lambda: house.said().acted)
        assert house.said().outcome == "StopTraining stopped the training job job."
        assert house.job().stop_reason == "the rule Overfit of job found issues"
        (line,) = [line.text for line in read_lines(house.folder(), "algo-1")[0]]
        assert line == "The rule Overfit of job stops this job. IssuesFound of Overfit"

    house.run(story)


def test_a_killed_service_goes_on_with_what_had_not_ended_and_acts_once(house):
    house.create(rule("Overfit", says="IssuesFound"), rule("AllZero", verdict="NoIssuesFound"))

    async def first():
        house.trains()
        await house.says("IssuesFound")
        await house.until(lambda: house.said().acted)

    house.run(first)
    before = house.said()
    house.ends()

    async def after_the_job():
        assert (await house.ended("AllZero")).status is RuleStatus.NO_ISSUES_FOUND
        found = await house.ended()
        assert (found.status, found.modified_at, found.acted) == (RuleStatus.ISSUES_FOUND, before.modified_at, True)

    house.run(after_the_job)


def test_no_evaluator_outlives_its_loop(house):
    async def story():
        house.create(rule())
        house.trains()
        await house.until(lambda: (house.folder() / "rules" / "built-in" / "Overfit.json").exists())

    house.run(story)
    children = psutil.Process().children(recursive=True)
    assert [child for child in children if str(house.folder()) in " ".join(child.cmdline())] == []


def test_a_store_out_of_reach_costs_a_custom_rule_and_no_other(house):
    def broken(uri, path):
        raise ObjectStoreError("no route")

    house.objects.fetch = broken

    async def story():
        house.create(rule("Mine", source_uri="s3://bucket/rules/mine.py"), rule(verdict="NoIssuesFound"))
        house.trains()
        mine = await house.ended("Mine")
        assert (mine.status, "no route" in mine.details) == (RuleStatus.ERROR, True)
        house.ends()
        assert (await house.ended()).status is RuleStatus.NO_ISSUES_FOUND

    house.run(story)


def test_findings_that_could_not_be_stored_are_stored_later(house, caplog):
    store_one, tries = house.objects.put, []

    def put(path, uri):
        tries.append(uri)
        if len(tries) == 1:
            raise ObjectStoreError("it restarts")
        store_one(path, uri)

    house.objects.put = put

    async def story():
        house.create(rule("Overfit", says="IssuesFound"))
        house.trains()
        place = house.settings.home / "s3" / "bucket" / "out" / "job" / "rule-output" / "Overfit" / "findings.json"
        await house.until(place.is_file)

    house.run(story)
    assert "findings of the rule Overfit of job could not be stored: it restarts" in caplog.text


def test_a_rule_that_loops_is_ended_with_all_it_started_some_time_after_its_job(house):
    house.stuck_s = 0.05

    async def story():
        house.create(rule("Overfit", loops="yes"))
        house.trains()
        child = house.folder() / "rules" / "built-in" / "child"
        await house.until(lambda: child.is_file() and child.read_text())
        assert not house.said().ended
        house.ends()
        ended = await house.ended()
        assert ended.status is RuleStatus.ERROR
        assert "Does it loop" in ended.details
        await house.until(lambda: not _runs(int(child.read_text())))

    house.run(story)


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def report_of(house, rule):
    """The stand-in's report: what it was asked at the end."""
    place = S3Uri("bucket", f"out/job/rule-output/{rule}/profiler-output/profiler-report.html")
    return json.loads(house.objects.read(place))


def test_the_profilers_rules_have_a_process_of_their_own_and_leave_a_report(house):
    async def story():
        house.create(
            rule("Overfit", verdict="NoIssuesFound"),
            profiler_rules=(rule("ProfilerReport", STOP, says="IssuesFound", LowGPUUtilization_patience="9"),),
        )
        (house.folder() / "launch.json").write_text(
            json.dumps({"hosts": [{"environment": {"OMP_NUM_THREADS": "3", "CUDA_VISIBLE_DEVICES": "0,2"}}]})
        )
        house.trains()
        await house.until(lambda: house.job().status is TrainingStatus.STOPPING)
        house.ends(status=TrainingStatus.STOPPED)
        assert (await house.ended("Overfit")).status is RuleStatus.NO_ISSUES_FOUND
        assert (await house.ended("ProfilerReport")).status is RuleStatus.ISSUES_FOUND

    house.run(story)
    asked = report_of(house, "ProfilerReport")
    assert asked["profile"].endswith("s3/bucket/profiles/job/profiler-output")
    assert asked["tensors"].endswith("s3/bucket/out/job/debug-output")
    assert asked["metrics"] == str(house.folder() / "metrics.jsonl")
    assert asked["rules"][0]["parameters"]["LowGPUUtilization_patience"] == "9"
    facts = asked["job"]
    assert (facts["name"], facts["status"], facts["threads"], facts["gpus"]) == ("job", "Stopped", 3, 2)
    assert (facts["hosts"], facts["interval_ms"]) == (["algo-1"], 500)
    found = json.loads((Path(asked["debugger_rules"]) / "Overfit.json").read_text())
    assert found["status"] == "NoIssuesFound"


def test_rules_that_an_update_brings_are_taken_up(house):
    async def story():
        house.create(profiler_rules=(rule("ProfilerReport", verdict="NoIssuesFound"),))
        house.trains()
        await house.says("InProgress", "ProfilerReport")
        house.adds(rule("BatchSize", verdict="IssuesFound"))
        await house.says("InProgress", "BatchSize")
        house.ends()
        assert (await house.ended("ProfilerReport")).status is RuleStatus.NO_ISSUES_FOUND
        assert (await house.ended("BatchSize")).status is RuleStatus.ISSUES_FOUND

    house.run(story)
    assert [each["name"] for each in report_of(house, "BatchSize")["rules"]] == ["BatchSize"]


def test_a_job_without_rules_gets_its_first_by_an_update(house):
    async def story():
        house.create()
        house.trains()
        house.adds(rule("ProfilerReport", verdict="NoIssuesFound"))
        await house.says("InProgress", "ProfilerReport")
        house.ends()
        assert (await house.ended("ProfilerReport")).status is RuleStatus.NO_ISSUES_FOUND

    house.run(story)
    assert report_of(house, "ProfilerReport")["job"]["status"] == "Completed"


def test_a_killed_service_writes_the_report_all_the_same(house):
    house.create(profiler_rules=(rule("ProfilerReport", verdict="NoIssuesFound"),))

    async def first():
        house.trains()
        await house.says("InProgress", "ProfilerReport")

    house.run(first)
    house.ends()

    async def after_the_job():
        assert (await house.ended("ProfilerReport")).status is RuleStatus.NO_ISSUES_FOUND

    house.run(after_the_job)
    assert report_of(house, "ProfilerReport")["job"]["status"] == "Completed"
