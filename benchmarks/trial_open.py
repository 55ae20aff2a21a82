"""How long a trial of many saved steps takes to open, against the floor of reading its manifest's bytes.

    python benchmarks/trial_open.py [STEPS]

Writes a store of STEPS saved steps (100,000) with a loss, a scalar, facts and, in every step, reductions of ten
tensors, then opens it. The floor reads the same files and counts their lines; both are the best of five, alternating.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sagehound.debug.store.manifest_writer import ManifestWriter
from sagehound.debug.store.open import open_source
from sagehound.debug.store.records import End, Facts, Run, Step, TensorInfo
from sagehound.debug.trial import Trial

LIMIT_S = 2.0


def make(folder: Path, steps: int) -> None:
    """Only the manifest: no more is read when a trial is opened."""
    reduced = [
        TensorInfo(name=f"gradient/Net_layer{n}.weight", kind="gradient", shape=(64, 64), saved="nothing",
                   reductions=("min", "max", "mean"), collections=("gradients",))
        for n in range(10)
    ]  # fmt: skip
    numbers = [
        TensorInfo(name="CrossEntropyLoss_output_0", kind="loss", saved="scalar", collections=("losses",)),
        TensorInfo(name="scalar/accuracy", kind="scalar", saved="scalar", collections=("default",)),
    ]
    manifest = ManifestWriter(folder, Run(framework="torch"))
    for number in range(steps):
        mode = "EVAL" if number % 10 == 9 else "TRAIN"
        layout = manifest.layout((*reduced, *numbers))
        scalars = {"CrossEntropyLoss_output_0": 2.3 / (1 + number), "scalar/accuracy": 0.5 + number % 50 / 100}
        facts = Facts(training=mode == "TRAIN", grad_enabled=True, learning_rates=(0.1,), classes=10, labels_min=0,
                      labels_max=9, labels_distinct=10, optimizer_steps=number * 10)  # fmt: skip
        manifest.add(
            Step(step=number * 10, mode=mode, mode_step=number * 10, layout=layout, at=1.7e9 + number,
                 scalars=scalars, file=True, facts=facts)
        )  # fmt: skip
    manifest.add(End(at=1.7e9, passed={"GLOBAL": steps * 10}))
    manifest.flush()


def floor(folder: Path) -> int:
    """Read all bytes of the manifest and count its lines."""
    return sum(path.read_bytes().count(b"\n") for path in sorted(folder.rglob("*.jsonl")))


def timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="?", type=int, default=100_000)
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        make(folder, steps)
        size = sum(path.stat().st_size for path in folder.rglob("*.jsonl"))
        took = [
            (timed(lambda: floor(folder)), timed(lambda: open_source(folder).refresh()),
             timed(lambda: Trial(open_source(folder))))
            for _ in range(5)
        ]  # fmt: skip
        least, source, trial = (min(column) for column in zip(*took, strict=True))
        opened = Trial(open_source(folder))
        look = min(timed(opened.refresh_data) for _ in range(5))
    print(f"{steps} saved steps, {size / 2**20:.1f} MiB of manifest")
    print(f"{'':28}{'seconds':>9}{'x floor':>9}")
    for name, seconds in (("floor: read and count lines", least), ("source", source), ("trial", trial)):
        print(f"{name:28}{seconds:9.3f}{seconds / least:9.1f}")
    print(f"another look at the ended trial: {look * 1e6:.0f} us")
    print(f"limit for 100,000 steps: {LIMIT_S} s: {'kept' if trial < LIMIT_S * steps / 100_000 else 'BROKEN'}")


if __name__ == "__main__":
    main()
