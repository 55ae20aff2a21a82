"""How long a trial may train."""

from __future__ import annotations

from dataclasses import dataclass

from sagehound.errors import InvalidInput

#: SageMaker's own limit of MaxResource.
MOST = 20_000


@dataclass(frozen=True, slots=True)
class Resource:
    """`least` and `most` units of resource (epochs, each of which prints the objective once) of a trial: SageMaker's
    MinResource and MaxResource. InvalidInput where they cannot be."""

    least: int
    most: int

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most <= MOST:
            raise InvalidInput(
                f"MinResource {self.least} and MaxResource {self.most} cannot be; "
                f"allowed is 1 <= MinResource <= MaxResource <= {MOST}"
            )
