"""A trial's tensors as a pandas table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sagehound.debug.modes import ModeKeys
from sagehound.debug.reading.reader import Reader
from sagehound.debug.reductions import reduce_array
from sagehound.debug.store.records import Step, TensorInfo, number

if TYPE_CHECKING:
    import pandas as pd

#: What a row of an array says of it.
OF_ARRAYS = ("min", "mean", "max", "std", "abs_mean", "l2")
_WHERE = ("step", "mode", "mode_step", "worker", "name")


def to_frame(
    reader: Reader, names: Iterable[str], mode: ModeKeys = ModeKeys.GLOBAL, worker: str | None = None
) -> pd.DataFrame:
    """One row for each step and tensor, in the order of steps and names: `step` (global), `mode`, `mode_step`, `name`.

    A number (a loss, a scalar) has its `value`; an array has `min`, `mean`, `max`, `std`, `abs_mean`, `l2`, as they
    were saved or computed from it, and NaN where neither is possible; further reductions that were saved have columns
    too. There are columns only for what there is: all numbers, no column of reductions. Several workers, and none
    chosen: a row for each, told apart by `worker`.
    """
    import pandas as pd

    wanted = list(dict.fromkeys(names))
    rows = list(_rows(reader, wanted, mode, worker))
    several = len({row["worker"] for row in rows}) > 1
    found = {column for row in rows for column in row}
    last = [column for column in ("value", *OF_ARRAYS) if column in found]
    more = sorted(found - set(_WHERE) - set(last))
    where = [column for column in _WHERE if several or column != "worker"]
    return pd.DataFrame(rows, columns=[*where, *(last or ["value"]), *more])


def _rows(
    reader: Reader, names: Sequence[str], mode: ModeKeys, worker: str | None
) -> Iterator[dict[str, int | float | str]]:
    for step in list(reader.steps.numbers(ModeKeys.GLOBAL)):
        for who, record in sorted(reader.steps.by_worker(step).items()):
            if worker not in (None, who) or (mode is not ModeKeys.GLOBAL and record.mode != mode.name):
                continue
            where: dict[str, int | float | str] = {"step": step, "mode": record.mode}
            where |= {"mode_step": record.mode_step, "worker": who}
            infos = reader.tensors.layout(who, record.layout).infos
            for name in names:
                if name in infos:
                    yield {**where, "name": name, **summary(reader, who, record, infos[name])}


def summary(reader: Reader, worker: str, record: Step, info: TensorInfo) -> dict[str, float]:
    """A number's `value`, or an array's reductions."""
    if info.saved == "scalar":
        return {"value": number(record.scalars[info.name])}
    found = reader.reductions(worker, record, info)
    missing = [name for name in OF_ARRAYS if name not in found]
    if missing and info.saved == "array":
        array = reader.array(worker, record, info)
        if array.size == 1:
            return found | {"value": float(np.real(array.reshape(-1)[0]))}
        found |= {name: float(reduce_array(array, name)) for name in missing}
    return found
