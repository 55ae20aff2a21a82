"""A loop of rules over real records and objects. Its evaluators are processes, and say what the rules' parameters
tell them to."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sagehound.control.rules import RuleLoop
from sagehound.names import evaluation_name
from sagehound.records.rules import DebugRule, RuleEvaluation
from sagehound.records.training import SecondaryStatus, TrainingJob, TrainingSpec, TrainingStatus
from sagehound.settings import Settings
from sagehound.store.sqlite import SqliteStore
from sagehound.testing.folder_store import FolderStore

#: It writes each rule's `says` at once and its `verdict` when the job has ended; `fails` ends it with that status.
EVALUATOR = """
import json, os, subprocess, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
request = json.loads((folder / "request.json").read_text())
parent = os.getppid()
def write(rule, status, findings=()):
    draft = folder / f"{rule['name']}.part"
    said = {"status": status, "details": f"{status} of {rule['name']}", "findings": list(findings)}
    draft.write_text(json.dumps(said))
    draft.replace(folder / f"{rule['name']}.json")
for rule in request["rules"]:
    says = rule["parameters"].get("says", "InProgress")
    write(rule, says, [{"message": "it broke", "why": "because", "change": "this"}] if says == "IssuesFound" else [])
    if "loops" in rule["parameters"]:
        child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
        (folder / "child").write_text(str(child.pid))
        time.sleep(60)
    if "fails" in rule["parameters"]:
        print("first line"); print("NameError: the last line", file=sys.stderr)
        sys.exit(int(rule["parameters"]["fails"]))
while not (folder / "ended").exists() and os.getppid() == parent:
    time.sleep(0.01)
request = json.loads((folder / "request.json").read_text())
for rule in request["rules"]:
    if "profile" in request:
        report = Path(request["output"]) / rule["name"] / "profiler-output" / "profiler-report.html"
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps(request))
    if "verdict" in rule["parameters"]:
        write(rule, rule["parameters"]["verdict"])
"""


def rule(name: str = "Overfit", *actions, source_uri: str = "", **parameters: str) -> DebugRule:
    return DebugRule(
        name=name,
        invoked=name,
        parameters=parameters,
        source_uri=source_uri,
        output_uri="s3://bucket/out",
        actions=actions,
    )


class House:
    def __init__(self, home: Path, **settings) -> None:
        self.settings = Settings(home=home, max_hosts=4, **settings)
        self.store = SqliteStore(home / "state.db")
        self.objects = FolderStore(home / "s3")
        (home / "evaluator.py").write_text(EVALUATOR)
        self.command = (sys.executable, "-S", str(home / "evaluator.py"))
        self.stuck_s = 600.0
        self._now = 1000.0

    def clock(self) -> float:
        self._now += 1
        return self._now

    def loop(self) -> RuleLoop:
        return RuleLoop(
            self.store,
            self.objects,
            self.settings,
            self.clock,
            {"AWS_REGION": "us-east-1"},
            command=self.command,
            profiler_command=self.command,
            poll_s=0.01,
            delays_s=(0, 0),
            stuck_s=self.stuck_s,
        )

    def create(self, *rules: DebugRule, name: str = "job", profiler_rules: tuple[DebugRule, ...] = ()) -> None:
        now = self.clock()
        job = TrainingJob(
            name=name,
            created_at=now,
            modified_at=now,
            arn=f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}",
            spec=TrainingSpec(
                output_uri="s3://bucket/out",
                instance_type="ml.m5.large",
                rules=rules,
                tensors_uri="s3://bucket/out" if rules else "",
                profiler_rules=profiler_rules,
                profiler_uri="s3://bucket/profiles" if profiler_rules else "",
                profiler_interval_ms=500,
            ),
            document={},
        )
        self.store.insert(job.enter(SecondaryStatus.PENDING, now, "Waiting"))
        self.folder(name).mkdir(parents=True)

    def adds(self, *rules: DebugRule, name: str = "job") -> None:
        """An UpdateTrainingJob with further rules of the profiler."""

        def added(job: TrainingJob) -> TrainingJob:
            spec = replace(
                job.spec, profiler_rules=job.spec.profiler_rules + rules, profiler_uri="s3://bucket/profiles"
            )
            return job.evolve(spec=spec)

        self.store.update(TrainingJob, name, added)

    def folder(self, name: str = "job") -> Path:
        return self.settings.jobs_folder / name

    def trains(self, name: str = "job") -> None:
        self.store.update(TrainingJob, name, lambda job: job.enter(SecondaryStatus.TRAINING, self.clock()))

    def ends(self, name: str = "job", status: TrainingStatus = TrainingStatus.COMPLETED) -> None:
        self.store.update(
            TrainingJob, name, lambda job: job.enter(SecondaryStatus(status.value), self.clock()).evolve(status=status)
        )

    def job(self, name: str = "job") -> TrainingJob:
        return self.store.get(TrainingJob, name)

    def said(self, rule: str = "Overfit", job: str = "job") -> RuleEvaluation:
        return self.store.get(RuleEvaluation, evaluation_name(job, rule))

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.005)

    async def ended(self, rule: str = "Overfit", job: str = "job") -> RuleEvaluation:
        await self.until(lambda: self.said(rule, job).ended if self._known(rule, job) else False)
        return self.said(rule, job)

    async def says(self, status: str, rule: str = "Overfit", job: str = "job") -> RuleEvaluation:
        await self.until(lambda: self.said(rule, job).status == status if self._known(rule, job) else False)
        return self.said(rule, job)

    def _known(self, rule: str, job: str) -> bool:
        from sagehound.errors import NotFound

        try:
            return bool(self.said(rule, job))
        except NotFound:
            return False

    def run(self, story: Callable[[], object]) -> None:
        """The story beside a running loop."""

        async def both() -> None:
            task = asyncio.create_task(self.loop().run())
            try:
                await asyncio.sleep(0)
                await story()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        asyncio.run(both())
