"""A tuning job as its page and the live table show it, read from the service as any client can."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from sagehound.cli.connection import Connection, pages
from sagehound.cli.jobs import stop_reason
from sagehound.cli.logs import JOB_GROUP
from sagehound.cli.ranges import from_document
from sagehound.cli.search_request import DATA_TAG, SCRIPT_TAG
from sagehound.cli.training_words import command, sdk
from sagehound.records.notes import of_response
from sagehound.records.tuning import ParameterRange
from sagehound.tuning.report.passed_over import passed_over
from sagehound.tuning.report.study import Point, Study, StudyTrial
from sagehound.tuning.space import Range, Space

_ENDED = ("Completed", "Stopped", "Failed")
_A_PAGE = 100


class TrialLog:
    """What a trial printed of its objective so far, and its last line, read on from where it was left."""

    def __init__(self, client: Any, name: str, regex: str) -> None:  # noqa: ANN401
        self._client = client
        self._name = name
        self._regex = re.compile(regex)
        self._tokens: dict[str, str] = {}
        self.curve: list[Point] = []
        self.last = ""

    def read(self) -> None:
        """Take in what is new. A trial of several hosts reports through all of them, as its metrics do."""
        try:
            streams = pages(
                self._client,
                "describe_log_streams",
                "logStreams",
                logGroupName=JOB_GROUP,
                logStreamNamePrefix=f"{self._name}/",
            )
        except self._client.exceptions.ResourceNotFoundException:
            return
        for stream in streams:
            for event in self._events(stream["logStreamName"]):
                self._take(event["message"], event["timestamp"] / 1000)

    def _events(self, stream: str) -> Iterator[dict[str, Any]]:
        while True:
            token = self._tokens.get(stream)
            more = {"nextToken": token} if token else {}
            page = self._client.get_log_events(logGroupName=JOB_GROUP, logStreamName=stream, startFromHead=True, **more)
            yield from page["events"]
            self._tokens[stream] = page["nextForwardToken"]
            if page["nextForwardToken"] == token or not page["events"]:
                return

    def _take(self, line: str, at_s: float) -> None:
        self.last = line.strip() or self.last
        found = self._regex.search(line)
        if found is None:
            return
        try:
            self.curve.append(Point(at_s, float(found.group(1))))
        except (ValueError, IndexError):
            return


class StudyReader:
    """Reads the tuning job `name` again and again; what has ended is asked for once."""

    def __init__(self, connection: Connection, name: str, clock: Callable[[], float] = time.time) -> None:
        self._sagemaker = connection.client("sagemaker")
        self._logs = connection.client("logs")
        self._name = name
        self._clock = clock
        self._ended: dict[str, StudyTrial] = {}
        self._trial_logs: dict[str, TrialLog] = {}
        self._tags: dict[str, str] | None = None

    def read(self) -> Study:
        """The tuning job as it is now."""
        job = self._sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=self._name)
        definitions = job.get("TrainingJobDefinitions") or [job["TrainingJobDefinition"]]
        config, objective = job["HyperParameterTuningJobConfig"], _objective(job, definitions[0])
        regexes = {each.get("DefinitionName", ""): _regex(job, each) for each in definitions}
        trials = [self._trial(number, each, regexes) for number, each in enumerate(self._summaries(), 1)]
        hyperband = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
        resources = definitions[0].get("ResourceConfig") or definitions[0].get("HyperParameterTuningResourceConfig", {})
        study = Study(
            name=self._name,
            status=job["HyperParameterTuningJobStatus"],
            metric=objective["MetricName"],
            maximize=objective["Type"] == "Maximize",
            ranges=_ranges(job, definitions),
            trials=tuple(trials),
            created_s=job["CreationTime"].timestamp(),
            read_s=self._clock(),
            ended_s=_seconds(job.get("HyperParameterTuningEndTime")),
            best_name=job.get("BestTrainingJob", {}).get("TrainingJobName", ""),
            strategy=config["Strategy"],
            early_stopping=config.get("TrainingJobEarlyStoppingType") == "Auto",
            resource=(hyperband["MinResource"], hyperband["MaxResource"]) if len(hyperband) == 2 else None,
            max_trials=config["ResourceLimits"].get("MaxNumberOfTrainingJobs"),
            max_parallel=config["ResourceLimits"]["MaxParallelTrainingJobs"],
            instance_type=resources.get("InstanceType", ""),
            instances=resources.get("InstanceCount", 1),
            static=definitions[0].get("StaticHyperParameters", {}),
            failure=job.get("FailureReason", ""),
            parents=_parents(job),
            notes=of_response(job),
        )
        return replace(study, **self._words(job, definitions, study))

    def doing(self, trial: StudyTrial) -> str:
        """The last line that a running trial printed."""
        log = self._trial_logs.get(trial.name)
        return log.last if log else ""

    def _summaries(self) -> list[dict[str, Any]]:
        return pages(
            self._sagemaker,
            "list_training_jobs_for_hyper_parameter_tuning_job",
            "TrainingJobSummaries",
            HyperParameterTuningJobName=self._name,
            SortBy="CreationTime",
            SortOrder="Ascending",
            MaxResults=_A_PAGE,
        )

    def _trial(self, number: int, summary: dict[str, Any], regexes: dict[str, str]) -> StudyTrial:
        name = summary["TrainingJobName"]
        if name in self._ended:
            return self._ended[name]
        definition = summary.get("TrainingJobDefinitionName") or ""
        if name not in self._trial_logs:
            self._trial_logs[name] = TrialLog(self._logs, name, regexes.get(definition, next(iter(regexes.values()))))
        log = self._trial_logs[name]
        log.read()
        ended = summary["TrainingJobStatus"] in _ENDED
        final = summary.get("FinalHyperParameterTuningJobObjectiveMetric") or {}
        trial = StudyTrial(
            number=number,
            name=name,
            values=summary.get("TunedHyperParameters", {}),
            status=summary["TrainingJobStatus"],
            created_s=summary["CreationTime"].timestamp(),
            started_s=_seconds(summary.get("TrainingStartTime")),
            ended_s=_seconds(summary.get("TrainingEndTime")),
            objective=final.get("Value"),
            curve=tuple(log.curve),
            failure=summary.get("FailureReason", ""),
            definition=definition,
            **(self._after(name) if ended else {}),
        )
        if ended:
            self._ended[name] = trial
            del self._trial_logs[name]
        return trial

    def _after(self, name: str) -> dict[str, Any]:
        """What only the training job's own description tells of a trial that has ended."""
        job = self._sagemaker.describe_training_job(TrainingJobName=name)
        metrics = {each["MetricName"]: each["Value"] for each in job.get("FinalMetricDataList", [])}
        return {"metrics": metrics, "stopped_because": stop_reason(job), "notes": of_response(job)}

    def _words(self, job: dict[str, Any], definitions: list[dict[str, Any]], study: Study) -> dict[str, Any]:
        """How to train the best configuration again, and a stopped one that is better."""
        words: dict[str, Any] = {}
        if study.best is not None:
            own = _definition(definitions, study.best)
            channels = own.get("InputDataConfig") or [{}]
            channel = channels[0].get("DataSource", {}).get("S3DataSource", {}).get("S3Uri", "")
            words = {"command": self._command(job, own, study.best), "sdk": sdk(self._name, channel)}
        better = passed_over(study)
        if better is not None:
            words["passed_over_command"] = self._command(job, _definition(definitions, better), better)
        return words

    def _command(self, job: dict[str, Any], definition: dict[str, Any], trial: StudyTrial) -> str:
        if self._tags is None:
            tags = self._sagemaker.list_tags(ResourceArn=job["HyperParameterTuningJobArn"]).get("Tags", [])
            self._tags = {tag["Key"]: tag["Value"] for tag in tags}
        values = {**definition.get("StaticHyperParameters", {}), **trial.values}
        return command(self._tags.get(SCRIPT_TAG, ""), self._tags.get(DATA_TAG, ""), values)


def _definition(definitions: list[dict[str, Any]], trial: StudyTrial) -> dict[str, Any]:
    return next((each for each in definitions if each.get("DefinitionName", "") == trial.definition), definitions[0])


def _objective(job: dict[str, Any], definition: dict[str, Any]) -> dict[str, str]:
    config = job["HyperParameterTuningJobConfig"]
    found: dict[str, str] = definition.get("TuningObjective") or config["HyperParameterTuningJobObjective"]
    return found


def _regex(job: dict[str, Any], definition: dict[str, Any]) -> str:
    name = _objective(job, definition)["MetricName"]
    metrics = definition["AlgorithmSpecification"].get("MetricDefinitions", [])
    return next((each["Regex"] for each in metrics if each["Name"] == name), r"(?!)")


def _ranges(job: dict[str, Any], definitions: Iterable[dict[str, Any]]) -> tuple[Range, ...]:
    """The ranges of all definitions; one that several have reaches over all of theirs."""
    config = job["HyperParameterTuningJobConfig"]
    found: dict[str, ParameterRange] = {}
    for definition in definitions:
        for each in from_document(definition.get("HyperParameterRanges") or config.get("ParameterRanges", {})):
            found[each.name] = _joined(found[each.name], each) if each.name in found else each
    return Space.parse(found.values()).ranges if found else ()


def _joined(one: ParameterRange, other: ParameterRange) -> ParameterRange:
    if one.type == other.type == "Categorical":
        return ParameterRange(name=one.name, type=one.type, values=tuple(dict.fromkeys((*one.values, *other.values))))
    if one.type == other.type:
        low, high = min(one.low, other.low, key=float), max(one.high, other.high, key=float)
        return ParameterRange(name=one.name, type=one.type, low=low, high=high, scaling=one.scaling)
    return one


def _parents(job: dict[str, Any]) -> tuple[str, ...]:
    parents = job.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
    return tuple(each["HyperParameterTuningJobName"] for each in parents)


def _seconds(at: Any) -> float | None:  # noqa: ANN401
    return None if at is None else float(at.timestamp())
