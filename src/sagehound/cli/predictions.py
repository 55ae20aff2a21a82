"""What an image classifier's JSON says: a label and its probability."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sagehound.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Prediction:
    """The likeliest class of one picture."""

    label: str
    probability: float


def predictions(answer: Any) -> list[Prediction]:  # noqa: ANN401
    """Read one prediction a picture from an endpoint's JSON: objects with a label and a probability, or one row of
    scores each (probabilities, or logits and log-probabilities, of which the softmax is taken).

    >>> predictions([[0.0, 100.0, 0.0]])
    [Prediction(label='1', probability=1.0)]
    >>> predictions([{"label": "hat", "probability": 0.9}])
    [Prediction(label='hat', probability=0.9)]
    """
    rows = answer if isinstance(answer, list) and answer and isinstance(answer[0], list | dict) else [answer]
    return [_one(row) for row in rows]


def prediction(answer: Any) -> Prediction:  # noqa: ANN401
    """The one prediction of an answer about one picture; InvalidInput where it has more, or none."""
    found = predictions(answer)
    if len(found) != 1:
        raise InvalidInput(f"the endpoint answered {len(found)} rows to one picture; its handler should answer one")
    return found[0]


def _one(row: Any) -> Prediction:  # noqa: ANN401
    if isinstance(row, dict) and {"label", "probability"} <= row.keys():
        return Prediction(str(row["label"]), float(row["probability"]))
    if isinstance(row, list) and row and all(isinstance(score, int | float) for score in row):
        scores = _probabilities([float(score) for score in row])
        best = max(range(len(scores)), key=scores.__getitem__)
        return Prediction(str(best), scores[best])
    raise InvalidInput(
        f"the endpoint answered {str(row)[:200]}, which is no row of class scores; "
        "invoke it from a program instead: boto3's sagemaker-runtime client, invoke_endpoint"
    )


def _probabilities(scores: list[float]) -> list[float]:
    if min(scores) >= 0 and math.isclose(sum(scores), 1.0, abs_tol=1e-3):
        return scores
    top = max(scores)
    weights = [math.exp(score - top) for score in scores]
    return [weight / sum(weights) for weight in weights]
