"""The process that judges a job's profile: `python -m sagehound.profile.evaluator FOLDER`.

FOLDER/request.json says what to judge (`Request`; it is read anew at each look, so that what is known of the job may
grow); FOLDER/<rule's name>.json is what each rule says so far (`rule_status.RuleStatus`). Under the request's
`output`/<rule's name>/profiler-output/ it writes profiler-reports/<Rule>.json, and for ProfilerReport the report too.
It looks once a minute while the job runs and a last time when FOLDER/ended is there, and ends then; at once when its
parent dies.

A rule with findings is IssuesFound, ProfilerReport when one of its rules has some. One that could judge nothing (no
GPU, no steps) is NoIssuesFound, with the reason in its details: nothing is wrong with the job. Error is for a rule that
failed itself, or a profile that cannot be read.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from sagehound.errors import InvalidInput, ObjectStoreError
from sagehound.profile.curves import Loss
from sagehound.profile.finding import Verdict
from sagehound.profile.findings.registry import build
from sagehound.profile.judgement import Judgement, WriteReport
from sagehound.profile.processor import bfloat16
from sagehound.profile.profile import JobFacts, Profile
from sagehound.profile.profile_folder import ProfileFolder
from sagehound.profile.saved_losses import SavedLosses
from sagehound.watching.parent import orphaned
from sagehound.watching.rule_status import RuleStatus, Status, write

_NICENESS = 10
_PAUSE_S, _BETWEEN_LOOKS_S = 0.5, 60.0
_TRIES_AT_THE_END = 10
_LOG = logging.getLogger("sagehound.profile.rules")


class RuleRequest(msgspec.Struct, frozen=True):
    """One rule: its name in the job's request, the rule's name, and its parameters."""

    name: str
    rule: str
    parameters: dict[str, str] = {}


class Request(msgspec.Struct, frozen=True):
    """`profile` is where the profiler put its files (a folder or an S3 URI), `output` the folder to write into,
    `metrics` the path of the job's metrics.jsonl, `tensors` where the debugger put its own (their losses are drawn),
    `debugger_rules` the folder with the status files of the debugger's rules."""

    profile: str
    output: str
    rules: list[RuleRequest]
    job: JobFacts
    metrics: str | None = None
    tensors: str | None = None
    debugger_rules: str | None = None


class Evaluator:
    """The rules of one job, and what each has said last."""

    def __init__(self, folder: Path, write_report: WriteReport, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._write_report = write_report
        request = self._request()
        self._said = {each.name: RuleStatus(updated_at=clock()) for each in request.rules}
        made = [self._make(request, each) for each in request.rules]
        self._judgements = [each for each in made if each is not None]
        self._profile: ProfileFolder | None = None
        self._losses: SavedLosses | None = None
        for name, status in self._said.items():
            write(folder, name, status)

    @property
    def ended(self) -> bool:
        """Whether the job is over, and all of its profile stored."""
        return (self._folder / "ended").exists()

    def look(self, ended: bool) -> None:
        """Read what is new, and judge all that there is."""
        profile, debugger = self._read(), self._debugger()
        for each in self._judgements:
            self._say(each.name, each.look(profile, debugger, self._said[each.name], ended, self._clock()))

    def fail(self, reason: str) -> None:
        """Nothing can be judged."""
        for each in self._judgements:
            self._say(each.name, RuleStatus(status=Status.ERROR, details=reason, updated_at=self._clock()))

    def _request(self) -> Request:
        return msgspec.json.decode((self._folder / "request.json").read_bytes(), type=Request)

    def _make(self, request: Request, rule: RuleRequest) -> Judgement | None:
        try:
            made = build(rule.rule, rule.parameters)
        except InvalidInput as error:
            self._said[rule.name] = RuleStatus(status=Status.ERROR, details=str(error), updated_at=self._clock())
            return None
        folder = Path(request.output) / rule.name.replace("/", "_") / "profiler-output"
        return Judgement(rule.name, made, folder, request.profile, self._write_report)

    def _read(self) -> Profile:
        request = self._request()
        if self._profile is None:
            self._profile = ProfileFolder(request.profile)
        self._profile.refresh()
        losses, problems = self._saved(request)
        job = replace(request.job, problems=(*request.job.problems, *problems))
        profile = self._profile.profile(job, request.metrics, losses)
        device = str(profile.job.facts.get("device", "cpu"))
        known = {"bf16": "cuda" if device.startswith("cuda") else bfloat16()}
        return replace(profile, job=replace(profile.job, facts={**known, **profile.job.facts}))

    def _saved(self, request: Request) -> tuple[list[Loss], tuple[str, ...]]:
        """The losses that the debugger saved, and what could not be read; a profile is judged without them too."""
        if not request.tensors:
            return [], ()
        try:
            self._losses = self._losses or SavedLosses(request.tensors)
            self._losses.refresh()
        except (InvalidInput, ObjectStoreError) as error:
            return self._losses.losses if self._losses else [], (f"the saved losses: {error}",)
        return self._losses.losses, self._losses.problems

    def _debugger(self) -> list[Mapping[str, Any]]:
        """What the debugger's rules have found by now; the folder may have what is said here too."""
        place = self._request().debugger_rules
        found: list[Mapping[str, Any]] = []
        for path in sorted(Path(place).glob("**/*.json")) if place else []:
            if path.stem in self._said:
                continue
            try:
                document = json.loads(path.read_bytes())
            except (OSError, ValueError):
                continue
            findings = document.get("findings") if isinstance(document, dict) and "status" in document else None
            found += [each for each in findings or [] if each not in found]
        return found

    def _say(self, name: str, status: RuleStatus) -> None:
        self._said[name] = status
        write(self._folder, name, status)


def run(folder: Path, write_report: WriteReport, sleep: Callable[[float], None] = time.sleep) -> None:
    """Judge what the folder asks for, to the end."""
    evaluator = Evaluator(folder, write_report)
    failures, next_look = 0, time.monotonic() + _BETWEEN_LOOKS_S
    while not orphaned():
        ended = evaluator.ended
        if ended or time.monotonic() >= next_look:
            try:
                evaluator.look(ended)
                if ended:
                    return
            except Exception as error:  # noqa: BLE001 - a store that is being restarted, or cannot be reached just now
                _LOG.warning("the profile could not be judged: %s", error, exc_info=True)
                failures += ended
                if failures == _TRIES_AT_THE_END:
                    evaluator.fail(f"the profile could not be read: {type(error).__name__}: {error}")
                    return
            next_look = time.monotonic() + _BETWEEN_LOOKS_S
        sleep(_PAUSE_S)


def report(
    profile: Profile, verdicts: Sequence[Verdict], debugger: Sequence[Mapping[str, Any]], folder: Path, source: str
) -> Path:
    """Bokeh and the report's pages are loaded when they are needed."""
    from sagehound.profile.report.write import write_report

    return write_report(profile, verdicts, debugger, folder, source)


def main(argv: list[str]) -> int:
    """The process: its exit status is 0 also where rules fired or failed, 2 where the request cannot be read."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    if len(argv) != 1:
        print("usage: python -m sagehound.profile.evaluator FOLDER", file=sys.stderr)
        return 2
    os.nice(_NICENESS)
    try:
        run(Path(argv[0]), report)
    except (OSError, msgspec.MsgspecError) as error:
        print(f"{argv[0]}/request.json: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    # One core's spare time: before NumPy and Arrow are asked for anything that they would share out.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
