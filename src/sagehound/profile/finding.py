"""What a rule of the profiler says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from sagehound.profile.profile import Profile


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One cause of lost time, or of danger, with its evidence.

    `message` is one sentence with the numbers. `evidence` has the measured values and limits by name; `from_s` and
    `to_s` the stretch of time it was seen in (seconds since the epoch), `operators` those that took part. `change` is
    what to do and `code` the line that does it. `gain_s` is how much sooner the job would have ended, at the best
    estimate, and `estimate` says how that was reckoned; None where time is not what would be won.
    """

    rule: str
    message: str
    change: str
    code: str = ""
    evidence: Mapping[str, float | str] = field(default_factory=dict)
    from_s: float | None = None
    to_s: float | None = None
    operators: tuple[str, ...] = ()
    gain_s: float | None = None
    estimate: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A rule's answer, as its JSON file has it (RuleTriggered = `violations`). `datapoints` is how many samples or
    steps it looked at; `unable` says why it could judge nothing ("no GPU on this machine"), "" where it could."""

    rule: str
    findings: tuple[Finding, ...] = ()
    violations: int = 0
    datapoints: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    unable: str = ""


class Rule(Protocol):
    """One cause to look for: a frozen dataclass of the documented parameters with their defaults. `judge` reads the
    profile and keeps nothing; no finding without evidence."""

    name: ClassVar[str]

    def judge(self, profile: Profile) -> Verdict: ...
