"""What the built-in rules cost on a long training: per saved step, at its beginning and at its end.

    python benchmarks/rules_long.py [--steps 25000 100000] [RULE ...]

A training is made up and written by the hook's own sink, without a file of tensors: a loss at every step, 32 samples'
hashes, and every 1,000 steps an evaluation of 250. Each rule, with its documented defaults, then judges every saved
step alone. Said are, for each rule, microseconds of processor time a step over the first and the last tenth of the
steps, the seconds in all, and what `unable` takes at the end. Rules that compare arrays have none here;
`rules_step.py` measures them. Prints a table and a JSON line. One thread.

Learned. What the curve of a loss, the samples and the batches were so far is learned step by step and kept, so a step
costs the same at the end as at the beginning: 0.34 ms for all 26 rules together over 25,000 steps (8.5 s; before, 4 of
the rules took 17 to 68 s each). The dearest is LossNotDecreasing with 0.09 ms. At 100,000 steps the eight dearest take
0.24 ms a step together, and no rule's last tenth costs more than its first.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import math
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sagehound.debug.rule import Rule
from sagehound.debug.rules.registry import RULES, build
from sagehound.debug.store.open import open_source
from sagehound.debug.store.records import Facts, TensorInfo
from sagehound.debug.store.sink import SavedStep
from sagehound.debug.store.writer import FolderSink
from sagehound.debug.trial import Trial

_EPOCH, _EVALUATION = 1_000, 250
_BATCH, _SAMPLES = 32, 32_000
_TARGET_US = 300.0

LOSS = TensorInfo(
    name="CrossEntropyLoss_output_0",
    kind="loss",
    module_type="CrossEntropyLoss",
    saved="scalar",
    collections=("losses",),
)


@dataclass(frozen=True)
class Cost:
    """Of one rule: microseconds a step in the first and the last tenth, seconds in all and for `unable`."""

    first_us: float
    last_us: float
    seconds: float
    unable_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*", help="only these rules")
    parser.add_argument("--steps", type=int, nargs="+", default=[25_000, 100_000])
    given = parser.parse_args()
    for steps in given.steps:
        with tempfile.TemporaryDirectory() as folder:
            write(folder + "/tensors", steps)
            costs = {name: cost(folder + "/tensors", build(name)) for name in given.rules or names()}
        report(steps, costs)


def names() -> list[str]:
    return [name for name in RULES if name != "SimilarAcrossRuns"]


def write(folder: str, steps: int) -> None:
    """A loss that falls to a level, and a validation loss that comes to lie above it."""
    random = np.random.default_rng(0)
    samples = random.integers(1, 1 << 53, size=_SAMPLES + _EVALUATION * _BATCH).tolist()
    sink = FolderSink(folder)
    counts = {"TRAIN": 0, "EVAL": 0}
    for step in range(steps):
        mode = "TRAIN" if step % (_EPOCH + _EVALUATION) < _EPOCH else "EVAL"
        place = counts[mode] * _BATCH % (_SAMPLES if mode == "TRAIN" else _EVALUATION * _BATCH)
        place += 0 if mode == "TRAIN" else _SAMPLES
        level = (0.5 if mode == "TRAIN" else 0.6) + 2 * math.exp(-step / 3_000)
        training = mode == "TRAIN"
        facts = Facts(
            training=training,
            grad_enabled=training,
            backward=training,
            learning_rates=(0.1,),
            labels_min=0,
            labels_max=9,
            labels_distinct=10,
            classes=10,
            loss="CrossEntropyLoss",
            loss_input_sums_to_one=False,
            samples=tuple(samples[place : place + _BATCH]),
            optimizer_steps=counts["TRAIN"],
        )
        saved = SavedStep(
            step=step,
            mode=mode,
            mode_step=counts[mode],
            tensors=(LOSS,),
            arrays={},
            scalars={LOSS.name: level * float(1 + 0.1 * random.standard_normal())},
            facts=facts,
        )
        sink.write(saved)
        counts[mode] += 1
    sink.close({"GLOBAL": steps - 1})


def cost(folder: str, rule: Rule) -> Cost:
    """Judge every step by one rule, with a trial of its own."""
    trial = Trial(open_source(folder))
    steps = trial.steps()
    trial.dynamic_refresh = False
    marks = [time.process_time()]
    for tenth in np.array_split(np.array(steps), 10):
        for step in tenth.tolist():
            list(rule.findings(trial, step))
        marks.append(time.process_time())
    rule.unable(trial)
    spent = [after - before for before, after in pairwise(marks)]
    each = 1e6 / (len(steps) / 10)
    return Cost(spent[0] * each, spent[-1] * each, sum(spent), time.process_time() - marks[-1])


def report(steps: int, costs: dict[str, Cost]) -> None:
    print(f"\n{steps} saved steps")
    print(f"{'':<28}{'first us':>12}{'last us':>12}{'all s':>12}{'unable s':>12}")
    for name, one in costs.items():
        print(f"{name:<28}{one.first_us:>12.1f}{one.last_us:>12.1f}{one.seconds:>12.2f}{one.unable_s:>12.3f}")
    total = sum(one.seconds for one in costs.values())
    worst = max(max(one.first_us, one.last_us) for one in costs.values())
    print(f"{'together':<28}{1e6 * total / steps:>12.1f}{'':>12}{total:>12.2f}")
    row = {"benchmark": "rules_long", "steps": steps, "seconds": round(total, 2), "worst_us": round(worst, 1)}
    row |= {"target_us": _TARGET_US, "met": worst < _TARGET_US}
    row["rules"] = {name: [round(one.first_us, 1), round(one.last_us, 1)] for name, one in costs.items()}
    print(json.dumps(row))


if __name__ == "__main__":
    main()
