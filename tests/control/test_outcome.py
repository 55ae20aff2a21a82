"""How a tuning job ends."""

import dataclasses

from sagehound.control.outcome import causes, outcome
from sagehound.records.training import SecondaryStatus, TrainingJob, TrainingStatus
from sagehound.records.tuning import TuningStatus
from tests.control.tuning_jobs import NOW, tuning_job

MISSING = (
    'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "{}\nat hpo.py, line 7, in load\n'
    'Last lines of the log:\nTraceback\n"\nCommand "python hpo.py --lr {}"'
)


def failed(number: int, reason: str, status: TrainingStatus = TrainingStatus.FAILED) -> TrainingJob:
    name = f"dogs-{number:03d}-00000000"
    spec = tuning_job().spec.training
    return TrainingJob(
        name=name,
        created_at=NOW,
        modified_at=NOW,
        arn="a",
        spec=spec,
        document={},
        status=status,
        failure_reason=reason,
    )


def test_the_common_cause_is_told_once_whatever_its_numbers():
    gone = [failed(n, MISSING.format(f"RuntimeError: 0x7f{n}: batch {n} of 10", f"0.{n}")) for n in (1, 2, 4)]
    other = failed(3, MISSING.format("ImportError: no module named timm", "0.3"))
    job = tuning_job(max_jobs=40)
    found = causes([*gone, other])
    assert [(cause, len(group)) for cause, group in found] == [
        ("RuntimeError: 0x7f1: batch 1 of 10, at hpo.py, line 7, in load", 3),
        ("ImportError: no module named timm, at hpo.py, line 7, in load", 1),
    ]
    status, reason = outcome(job, [gone[0], gone[1], other, gone[2]])
    assert status is TuningStatus.FAILED
    assert reason == (
        "No training job succeeded after 4 attempts, for several reasons. "
        "3 of 4 (dogs-001-00000000): RuntimeError: 0x7f1: batch 1 of 10, at hpo.py, line 7, in load; "
        "1 of 4 (dogs-003-00000000): ImportError: no module named timm, at hpo.py, line 7, in load"
    )


def test_a_single_cause_and_one_without_words():
    _, reason = outcome(tuning_job(max_jobs=2), [failed(1, ""), failed(2, "")])
    assert "All 2 for the same reason (the first is dogs-001-00000000): no reason was recorded; see its log" in reason


def test_a_stopped_search_is_stopped_and_one_with_a_result_completed():
    job = tuning_job()
    assert outcome(job.evolve(status=TuningStatus.STOPPING), [failed(1, "x")]) == (TuningStatus.STOPPED, "")
    stopped = failed(1, "", TrainingStatus.STOPPED)
    assert outcome(job, [stopped])[0] is TuningStatus.FAILED
    done = dataclasses.replace(stopped, status=TrainingStatus.COMPLETED)
    assert "No objective metrics found" in outcome(job, [done])[1]


def test_where_all_were_stopped_the_limit_that_did_it_is_named():
    stopped = failed(1, "", TrainingStatus.STOPPED)
    spec = dataclasses.replace(stopped.spec, max_runtime_s=2)
    late = stopped.evolve(secondary=SecondaryStatus.MAX_RUNTIME_EXCEEDED, spec=spec)
    _, reason = outcome(tuning_job(), [late, late])
    assert "2 of 2 ran into the training jobs' own MaxRuntimeInSeconds, 2 s. Raise it" in reason
    assert "(its MaxRuntimeInSeconds is 60 s)" in outcome(tuning_job(max_runtime_s=60), [stopped])[1]
    assert "none s" not in outcome(tuning_job(), [stopped])[1]
