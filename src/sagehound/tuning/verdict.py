"""What is said of a trial that should end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a running trial should be stopped now, in words for the user. `finished`: it has had everything that it may
    have and counts as completed; otherwise it is stopped because others are better."""

    reason: str
    finished: bool = False
