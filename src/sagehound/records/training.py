"""Training jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from sagehound.records.record import Document, Record, Transitions
from sagehound.records.rules import DebugRule


class TrainingStatus(StrEnum):
    """`Stopping` lasts from the request to stop until the script has ended and its artifacts are uploaded."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def ended(self) -> bool:
        return self not in (TrainingStatus.IN_PROGRESS, TrainingStatus.STOPPING)


class SecondaryStatus(StrEnum):
    """What a training job is doing, in the order in which a healthy one goes through it."""

    PENDING = "Pending"
    STARTING = "Starting"
    DOWNLOADING = "Downloading"
    TRAINING = "Training"
    UPLOADING = "Uploading"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"
    INTERRUPTED = "Interrupted"


#: How the FailureReason of a failure begins that is not the script's.
INTERNAL = "InternalServerError"
_STOPPING = "Stopping the training job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One input channel. `data_type` is S3Prefix or ManifestFile; `distribution` FullyReplicated or ShardedByS3Key;
    `mode` File or FastFile, as in the request."""

    name: str
    uri: str
    data_type: str = "S3Prefix"
    distribution: str = "FullyReplicated"
    mode: str = "File"
    content_type: str = ""
    record_wrapper: str = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDefinition:
    """A metric's name and the regular expression whose first group is its value in a log line."""

    name: str
    regex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSpec:
    """What to run, with what, on what. Hyperparameters are kept as they were sent (v2 of the SDK quotes text)."""

    image: str = ""
    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    hyperparameters: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    output_uri: str
    compress_output: bool = True
    checkpoint_uri: str = ""
    checkpoint_path: str = "/opt/ml/checkpoints"
    instance_type: str
    instance_count: int = 1
    max_runtime_s: int = 86400
    metrics: tuple[MetricDefinition, ...] = ()
    #: The bodies of debughookconfig.json and profilerconfig.json; empty: no such file.
    debug_hook: Document = field(default_factory=dict)
    profiler: Document = field(default_factory=dict)
    #: The body of tensorboardoutputconfig.json, likewise.
    tensorboard: Document = field(default_factory=dict)
    #: Where the hook writes, and the S3 address under which its tensors go while the job runs; empty: nowhere.
    tensors_path: str = "/opt/ml/output/tensors"
    tensors_uri: str = ""
    tensorboard_path: str = "/opt/ml/output/tensorboard"
    tensorboard_uri: str = ""
    #: Where the script's own side of the profiler writes, and the S3 address for that and the machine's samples.
    profiler_path: str = "/opt/ml/output/profiler"
    profiler_uri: str = ""
    #: How often the machine is sampled, in milliseconds; 0: not at all.
    profiler_interval_ms: int = 0
    profiler_rules: tuple[DebugRule, ...] = ()
    #: Whether a script that says nothing of the profiler has its steps timed.
    auto_profile: bool = False
    #: Whether a script that registers no hook gets one.
    auto_hook: bool = False
    rules: tuple[DebugRule, ...] = ()
    #: How often the job is run again after an InternalServerError, i.e. no failure of the script's.
    retries: int = 0

    @property
    def all_rules(self) -> tuple[DebugRule, ...]:
        """The debugger's and the profiler's."""
        return self.rules + self.profiler_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One stretch of a job's life. `ended_at` is None for the one it is in."""

    status: SecondaryStatus
    started_at: float
    ended_at: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """The last value of a metric, and when it was printed."""

    name: str
    value: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob(Record):
    """A training job. `parent` is its tuning job's name, `tuned` the values that the tuner chose for it.

    `document` is the request without its name and hyperparameters, which `name` and `spec` hold: a trial of a
    tuning job has the document of its siblings. `threads` is the part of the machine that a tuner leaves to each
    of its parallel trials, 0 where the scheduler decides. Of a trial, `definition` names its definition in the tuning
    job, `finished` tells that the tuner let it train as long as it may, `notes` are what its user should know and no
    status says, `unmatched` the same of an objective that no line of its log gave. `attempts` counts how often the job
    was run again.
    """

    kind: ClassVar[str] = "training-job"
    transitions: ClassVar[Transitions] = {
        TrainingStatus.IN_PROGRESS: frozenset(
            {TrainingStatus.STOPPING, TrainingStatus.COMPLETED, TrainingStatus.FAILED, TrainingStatus.STOPPED}
        ),
        TrainingStatus.STOPPING: frozenset({TrainingStatus.STOPPED, TrainingStatus.COMPLETED, TrainingStatus.FAILED}),
    }

    arn: str
    spec: TrainingSpec
    document: Document
    parent: str = ""
    tuned: dict[str, str] = field(default_factory=dict)
    threads: int = 0
    definition: str = ""
    finished: bool = False
    notes: tuple[str, ...] = ()
    unmatched: str = ""
    attempts: int = 0
    status: TrainingStatus = TrainingStatus.IN_PROGRESS
    secondary: SecondaryStatus = SecondaryStatus.PENDING
    history: tuple[Transition, ...] = ()
    started_at: float | None = None
    ended_at: float | None = None
    failure_reason: str = ""
    artifacts_uri: str = ""
    metrics: tuple[Metric, ...] = ()

    def enter(self, secondary: SecondaryStatus, now: float, message: str = "") -> TrainingJob:
        """The job after it went into `secondary`: the open stretch of its history closed, a new one begun."""
        closed = tuple(
            t
            if t.ended_at is not None
            else Transition(status=t.status, started_at=t.started_at, ended_at=now, message=t.message)
            for t in self.history
        )
        final = secondary.value in ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded")
        stretch = Transition(status=secondary, started_at=now, ended_at=now if final else None, message=message)
        return self.evolve(secondary=secondary, history=(*closed, stretch), modified_at=now)

    def asked_to_stop(self, now: float, reason: str = "") -> TrainingJob:
        """The job on its way to Stopped; itself where it is there already, or has ended."""
        if self.status is not TrainingStatus.IN_PROGRESS:
            return self
        message = f"{_STOPPING}: {reason}" if reason else _STOPPING
        return self.enter(SecondaryStatus.STOPPING, now, message).evolve(status=TrainingStatus.STOPPING)

    @property
    def stop_reason(self) -> str:
        """Why it was asked to stop, where a reason was given."""
        said = [stretch.message for stretch in self.history if stretch.status is SecondaryStatus.STOPPING]
        return said[-1].removeprefix(_STOPPING).removeprefix(": ") if said else ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """All that its user should know and no status says."""
        return (*self.notes, self.unmatched) if self.unmatched else self.notes

    @property
    def failed_internally(self) -> bool:
        """Whether it failed for no fault of its script: the machine went down, or its supervisor was killed."""
        return self.status is TrainingStatus.FAILED and self.failure_reason.startswith(INTERNAL)

    @property
    def has_trained(self) -> bool:
        """Whether its script was ever started."""
        return any(stretch.status is SecondaryStatus.TRAINING for stretch in self.history)
