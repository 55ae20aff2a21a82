"""What a report over a long job costs: 3 days sampled every 500 ms on 8 cores, with the steps of those days.

The profile is made up in memory, as the reader would hand it over; then the report is written in the same process.
Printed: seconds and megabytes (the process's peak, all in) beside what is allowed, and the size of the page.
Run: python benchmarks/profiler_report.py [days]
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa

from sagehound.profile.profile import JobFacts, Profile
from sagehound.profile.report import write_report
from sagehound.profile.tables import CURVES, SYSTEM, TIMELINE, WORD

INTERVAL_S, CORES, STEP_S = 0.5, 8, 1.0
BEGIN_S = 1_700_000_000.0
ALLOWED_S, ALLOWED_MB, ALLOWED_PAGE_MB = 20.0, 500.0, 3.0
OTHERS = (
    ("CPUUtilization", "job"),
    ("MemoryUsedPercent", "machine"),
    ("MemoryUsedPercent", "job"),
    ("I/OWaitPercentage", "machine"),
    ("DiskReadBytesPerSecond", "machine"),
    ("NetworkReceivedBytesPerSecond", "machine"),
)
PHASES = ("loader", "forward", "backward", "optimizer", "rest")


def main(days: float) -> None:
    end_s = BEGIN_S + days * 86400
    profile = Profile(
        job=JobFacts(
            name="three-days",
            instance_type="ml.m5.2xlarge",
            started_s=BEGIN_S,
            ended_s=end_s,
            cores=CORES,
            threads=CORES,
        ),
        system=pa.Table.from_batches(list(samples(end_s)), schema=SYSTEM),
        timeline=steps(end_s),
        curves=losses(end_s),
    )
    before_mb = peak_mb()
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        page = write_report(profile, (), (), Path(folder))
        took_s, page_mb = perf_counter() - start, page.stat().st_size / 1e6
    print(
        f"profile   {profile.system.num_rows:,} samples, {profile.timeline.num_rows:,} events, {before_mb:.0f} MB peak"
    )
    print(f"report    {took_s:.1f} s of {ALLOWED_S:.0f} allowed")
    print(f"memory    {peak_mb():.0f} MB peak of {ALLOWED_MB:.0f} allowed")
    print(f"page      {page_mb:.2f} MB of {ALLOWED_PAGE_MB:.0f} allowed")
    if took_s > ALLOWED_S or peak_mb() > ALLOWED_MB or page_mb > ALLOWED_PAGE_MB:
        raise SystemExit("over what is allowed")


def samples(end_s: float) -> Iterator[pa.RecordBatch]:
    """An hour at a time, as the reader's chunks are."""
    random = np.random.default_rng(0)
    series = [("CPUUtilization", f"cpu{core}") for core in range(CORES)] + list(OTHERS)
    dimensions, names = sorted({each[0] for each in series}), sorted({each[1] for each in series})
    for begin in np.arange(BEGIN_S, end_s, 3600):
        at_s = np.arange(begin, min(begin + 3600, end_s), INTERVAL_S)
        count = len(at_s)
        values = np.clip(60 + 20 * random.standard_normal(count * len(series)), 0, 100)
        dimension = np.tile(np.array([dimensions.index(each[0]) for each in series], dtype=np.int16), count)
        name = np.tile(np.array([names.index(each[1]) for each in series], dtype=np.int16), count)
        yield pa.record_batch(
            [
                pa.array(np.repeat(at_s, len(series))),
                words(np.zeros(len(values), dtype=np.int16), ["algo-1"]),
                words(dimension, dimensions),
                words(name, names),
                pa.array(values),
            ],
            schema=SYSTEM,
        )


def words(places: np.ndarray, known: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(places), pa.array(known, type=pa.string())).cast(WORD)


def steps(end_s: float) -> pa.Table:
    """A step a second, each with its phases."""
    starts = np.arange(BEGIN_S + 60, end_s - 60, STEP_S)
    count, kinds = len(starts), 1 + len(PHASES)
    shares = np.array([1.0, 0.1, 0.3, 0.45, 0.1, 0.05])
    offsets = np.concatenate(([0.0], np.concatenate(([0.0], np.cumsum(shares[1:-1])))))
    zeros = np.zeros(count * kinds, dtype=np.int16)
    category = np.tile(np.array([0] + [1] * len(PHASES), dtype=np.int16), count)
    name = np.tile(np.arange(kinds, dtype=np.int16), count)
    return pa.table(
        [
            words(zeros, ["algo-1"]),
            pa.array(np.full(count * kinds, 100)),
            words(category, ["step", "phase"]),
            words(name, ["step", *PHASES]),
            words(zeros, ["TRAIN"]),
            pa.array(np.repeat(np.arange(count), kinds)),
            pa.array((starts[:, None] + offsets * STEP_S).ravel()),
            pa.array(np.tile(shares * STEP_S, count)),
        ],
        schema=TIMELINE,
    )


def losses(end_s: float) -> pa.Table:
    at_s = np.arange(BEGIN_S + 60, end_s, 10.0)
    values = 2 * np.exp(-np.arange(len(at_s)) / 5000) + 0.1
    names = words(np.zeros(len(at_s), dtype=np.int16), ["train:loss"])
    return pa.table([pa.array(at_s), names.cast(CURVES.field("name").type), pa.array(values)], schema=CURVES)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
