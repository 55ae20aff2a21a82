"""How many epochs early stopping and Hyperband save, on recorded curves, beside Optuna's own pruners.

    python benchmarks/stopping.py [--seeds 20] [--trials 40]

The curves are real trainings of up to 27 epochs (`benchmarks/curves`): 384 configurations of a small network on
digits, 432 of a linear head on photos of clothes. Every search may spend the epochs of `--trials` whole trials. The
figures: the best objective (minimized; an accuracy has a minus) once half of them are spent, and once all are, median
and quartiles over the seeds; the epochs after which the median is as good as that of the whole Bayesian search
without stopping at its end ("same best"); the best of the first `--trials` trials, and the part of their epochs that
they took: what stopping saves a tuning job of so many trials.
Prints a table and one JSON line.

What it taught (25 November 2026; 20 seeds; "same best" in epochs of 1080):
- Digits: Auto had the same best after 717 and Hyperband after 773 (unstopped 972; Optuna's MedianPruner 564, its
  HyperbandPruner 762). 40 trials take 0.49 of their epochs and come to 0.127, Hyperband's 0.32 and 0.131, in place of
  0.121; for all 1080 epochs Hyperband finds 0.1185 where the unstopped search and Optuna's pruned TPE find 0.1206.
- Clothing: no search that stops had the same best. Auto comes to 87.66 and Hyperband to 87.94 (unstopped 88.08;
  Optuna's MedianPruner 87.66, HyperbandPruner 87.94), where 0.14 is one photo of 713. The best heads learn slowly at
  first (rank correlation of epochs 1 and 27: 0.44), and what tells the best from the next is noise.
- Hyperband needs its bracket without stopping, and a sampler that learns from completed trials alone: with stopped
  trials as bad ones it avoids the slow starters (clothing at 540 epochs: 87.74 on average, without them 87.97,
  unstopped 87.85; digits at 1080: 0.130, 0.118, unstopped 0.124; 10 seeds). Under the median rule it helps nothing.
- One bracket alone, or a reduction of 4 (tried before those two): no better.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import warnings
from collections.abc import Callable
from functools import partial

import optuna

from curves.table import Table, load
from sagehound.testing.simulator import simulate
from sagehound.tuning.catalogue import create
from sagehound.tuning.resource import Resource
from sagehound.tuning.trial import Trial
from search import suggested

EPOCHS = 27
TABLES = {"digits": 1, "clothing": -1}
#: More trials than any search comes to before its epochs are spent.
MANY = 1000


class Ledger:
    """What was spent and found: the epochs of each trial (from 1); and for each that ended the epochs spent in all by
    then, its number, its objective."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.spent = 0
        self.ends: list[tuple[int, int, float]] = []
        self.of_trial: dict[int, int] = {}

    def epoch(self, number: int) -> None:
        if self.spent >= self.budget:
            raise Spent
        self.spent += 1
        self.of_trial[number] = self.of_trial.get(number, 0) + 1

    def end(self, number: int, objective: float) -> None:
        self.ends.append((self.spent, number, objective))

    def best(self, spent: int) -> float:
        """The best that had been found when so many epochs were spent."""
        return min((objective for at, _, objective in self.ends if at <= spent), default=float("inf"))

    def best_of(self, trials: int) -> float:
        """The best of the first trials."""
        return min(objective for _, number, objective in self.ends if number <= trials)

    def taken_by(self, trials: int) -> float:
        """The part of the budget that the first trials took."""
        return sum(epochs for number, epochs in self.of_trial.items() if number <= trials) / self.budget


class Spent(Exception):
    """The budget is used up."""


def ours(table: Table, ledger: Ledger, seed: int, *, name: str, parallel: int = 1, **options: object) -> None:
    def watch(now: float, trial: Trial) -> None:
        ledger.epoch(trial.number)
        if not trial.running and trial.objective is not None:
            ledger.end(trial.number, trial.objective)

    make = partial(create, name, table.space, seed=seed, maximize=False, **options)
    simulate(make, table.curve, trials=MANY, parallel=parallel, watch=watch)


def direct(table: Table, ledger: Ledger, seed: int, *, sampler: str, pruner: optuna.pruners.BasePruner) -> None:
    """Optuna as its manual shows it."""

    def objective(trial: optuna.Trial) -> float:
        curve = table.curve(suggested(trial, table.space))
        for epoch, value in enumerate(curve, 1):
            ledger.epoch(trial.number + 1)
            trial.report(value, epoch)
            if epoch < len(curve) and trial.should_prune():
                ledger.end(trial.number + 1, value)
                raise optuna.TrialPruned
        ledger.end(trial.number + 1, curve[-1])
        return curve[-1]

    study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=seed), pruner=pruner)
    study.optimize(objective, n_trials=MANY)


SEARCHES: dict[str, Callable[..., None]] = {
    "Random, no stopping": partial(ours, name="Random"),
    "Bayesian, no stopping": partial(ours, name="Bayesian"),
    "Bayesian, Auto": partial(ours, name="Bayesian", early_stopping=True),
    "Bayesian, Auto, 4 abreast": partial(ours, name="Bayesian", early_stopping=True, parallel=4),
    "Hyperband": partial(ours, name="Hyperband", resource=Resource(1, EPOCHS)),
    "Hyperband, 4 abreast": partial(ours, name="Hyperband", resource=Resource(1, EPOCHS), parallel=4),
    "optuna TPE": partial(direct, sampler="TPESampler", pruner=optuna.pruners.NopPruner()),
    "optuna TPE, MedianPruner": partial(direct, sampler="TPESampler", pruner=optuna.pruners.MedianPruner()),
    "optuna TPE, HyperbandPruner": partial(
        direct, sampler="TPESampler", pruner=optuna.pruners.HyperbandPruner(1, EPOCHS)
    ),
    "optuna Random, HyperbandPruner": partial(
        direct, sampler="RandomSampler", pruner=optuna.pruners.HyperbandPruner(1, EPOCHS)
    ),
}


def run(search: Callable[..., None], table: Table, budget: int, seed: int) -> Ledger:
    ledger = Ledger(budget)
    with contextlib.suppress(Spent):
        search(table, ledger, seed)
    return ledger


def measure(ledgers: list[Ledger], target: float, trials: int) -> dict[str, object]:
    budget = ledgers[0].budget
    half, whole = ([ledger.best(spent) for ledger in ledgers] for spent in (budget // 2, budget))
    lower, _, upper = statistics.quantiles(half, n=4)
    return {
        "half": round(statistics.median(half), 4),
        "lower": round(lower, 4),
        "upper": round(upper, 4),
        "whole": round(statistics.median(whole), 4),
        "same_best": next((at for at in range(EPOCHS, budget + 1) if median_best(ledgers, at) <= target), None),
        "part": round(statistics.median(ledger.taken_by(trials) for ledger in ledgers), 2),
        "best_of_trials": round(statistics.median(ledger.best_of(trials) for ledger in ledgers), 4),
    }


def median_best(ledgers: list[Ledger], spent: int) -> float:
    return statistics.median(ledger.best(spent) for ledger in ledgers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=40)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    budget, rows = EPOCHS * arguments.trials, []
    print(f"{'curves':10}{'search':32}{f'at {budget // 2}':>9}{'quartiles':>20}{f'at {budget}':>9}"
          f"{'same best':>11}{f'of {arguments.trials}':>9}{'part':>7}")  # fmt: skip
    for task, sign in TABLES.items():
        table = load(task, sign)
        ran = {name: [run(search, table, budget, seed) for seed in range(arguments.seeds)]
               for name, search in SEARCHES.items()}  # fmt: skip
        target = median_best(ran["Bayesian, no stopping"], budget)
        for name, ledgers in ran.items():
            row = {"curves": task, "search": name, **measure(ledgers, target, arguments.trials)}
            rows.append(row)
            quartiles, reached = f"{row['lower']:.4f} .. {row['upper']:.4f}", row["same_best"] or "never"
            print(f"{task:10}{name:32}{row['half']:9.4f}{quartiles:>20}{row['whole']:9.4f}{reached:>11}"
                  f"{row['best_of_trials']:9.4f}{row['part']:7.2f}", flush=True)  # fmt: skip
    print(json.dumps({"benchmark": "stopping", "seeds": arguments.seeds, "trials": arguments.trials, "rows": rows}))


if __name__ == "__main__":
    main()
