"""Grid search: every combination of categories exactly once."""

from __future__ import annotations

from sagehound.errors import InvalidInput
from sagehound.tuning.space import Categorical, Space, Values
from sagehound.tuning.trial import Trial
from sagehound.tuning.verdict import Verdict


class Grid:
    """SageMaker's Grid: categorical ranges only (InvalidInput otherwise), all combinations in the order of the request,
    the last range's values changing fastest. Trial k is the k-th of them, whatever was told."""

    def __init__(self, space: Space) -> None:
        others = [each.name for each in space.ranges if not isinstance(each, Categorical)]
        if others:
            raise InvalidInput(
                f"Grid searches categorical ranges only, and {', '.join(others)} has bounds; "
                "list its values as categories, or choose Bayesian or Random"
            )
        self._space = space

    def ask(self, number: int) -> Values | None:
        """The number-th combination, None past the last."""
        rest, values = number - 1, {}
        for each in reversed(self._space.ranges):
            assert isinstance(each, Categorical)
            rest, index = divmod(rest, each.size)
            values[each.name] = each.categories[index]
        return {each.name: values[each.name] for each in self._space.ranges} if rest == 0 else None

    def tell(self, trial: Trial) -> None:
        """Only checks that the values are of the space: no result changes the order."""
        self._space.check(trial.values)

    def verdict(self, number: int) -> Verdict | None:
        """None: every trial runs to its end."""
        return None
