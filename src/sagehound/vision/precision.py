"""The precision of arithmetic: bf16 where the hardware has it, it is measured to be faster, and it is as accurate.

The choice is made on the real network, with real photos, and remembered per machine, so that a training repeated there
gives the same model bit for bit. Where nothing can be remembered it is fp32.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import torch
from torch import Tensor

from sagehound.vision.claims import claim

#: bf16 must be this many times as fast as fp32: less is within what a busy machine makes of two measurements.
LEAST_GAIN = 1.1
#: As far accuracy (0 to 1) may be expected to move: half a point.
MOST_CHANGED = 0.005

Say = Callable[[str], None]


class Precision(StrEnum):
    """What a network computes in."""

    FP32 = "fp32"
    BF16 = "bf16"

    @property
    def dtype(self) -> torch.dtype:
        return torch.bfloat16 if self is Precision.BF16 else torch.float32


@dataclass(frozen=True, slots=True)
class Comparison:
    """bf16 beside fp32 on the same photos: the seconds of each, and how far accuracy (0 to 1) is expected to move; None
    for the steps of a training, as what rounding makes of its end is not to be seen at its beginning."""

    fp32_s: float
    bf16_s: float
    changed: float | None

    @property
    def choice(self) -> Precision:
        gains = self.bf16_s * LEAST_GAIN <= self.fp32_s
        return Precision.BF16 if gains and (self.changed or 0) <= MOST_CHANGED else Precision.FP32

    def line(self) -> str:
        """Both figures, and what follows.

        >>> Comparison(fp32_s=1.0, bf16_s=0.5, changed=0.001).line()
        'bf16 is 2.00 times as fast as fp32 and expected to move accuracy by 0.10 points: computing in bf16'
        """
        speed = f"bf16 is {self.fp32_s / self.bf16_s:.2f} times as fast as fp32"
        if self.changed is None:
            return f"{speed}: training in {self.choice}"
        points = 100 * self.changed
        return f"{speed} and expected to move accuracy by {points:.2f} points: computing in {self.choice}"


def in_hardware(device: torch.device) -> bool:
    """Whether `device` multiplies bf16 numbers itself. Elsewhere bf16 is slow and not worth a measurement."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    found = torch.backends.cpu.get_cpu_capability() if platform.machine() in ("x86_64", "AMD64") else ""
    if not found.startswith("AVX512"):
        return False
    return bool({"avx512_bf16", "amx_bf16"} & _cpu_flags())


def _cpu_flags() -> set[str]:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("flags"):
                return set(line.split())
    return set()


def machine(device: torch.device) -> str:
    """What the speed of a precision depends on, beside the network."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {os.cpu_count()} cores, torch {torch.__version__}"


def choose(
    folder: Path, network: bytes, device: torch.device, compare: Callable[[], Comparison], say: Say
) -> Precision:
    """The precision that `compare` found better for `network` (a digest of all that it depends on) on this machine.

    What was found is kept in `folder`; processes that ask at the same time wait for the one that measures. Damaged
    records are made anew; where the folder cannot be written it is fp32.
    """
    if not in_hardware(device):
        return Precision.FP32
    key = hashlib.sha256(network + machine(device).encode()).hexdigest()
    file = folder / f"{key}.json"
    if found := _read(file, say):
        return found.choice
    try:
        with claim(file.with_suffix(".lock")):
            if found := _read(file, say):
                return found.choice
            found = compare()
            _write(file, found)
    except OSError as error:
        say(f"Computing in fp32: what is measured of bf16 could not be kept ({error})")
        return Precision.FP32
    say(found.line())
    return found.choice


def _read(file: Path, say: Say) -> Comparison | None:
    try:
        fields = json.loads(file.read_text())
        changed = fields["changed"]
        return Comparison(float(fields["fp32_s"]), float(fields["bf16_s"]), None if changed is None else float(changed))
    except OSError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        say(f"{file} is damaged ({error}): measuring bf16 anew")
        return None


def _write(file: Path, found: Comparison) -> None:
    unfinished = file.with_suffix(f".{os.getpid()}.part")
    unfinished.write_text(json.dumps(asdict(found)) + "\n")
    unfinished.replace(file)


def seconds(run: Callable[[], object], repeats: int = 3) -> float:
    """The fastest of `repeats` runs, after one that warms up: what others do on the machine only ever adds."""
    run()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def expected_move(margins: Tensor, others: Tensor) -> float:
    """How far accuracy (0 to 1) is expected to move where each photo's margin (n) becomes the other (n), with the
    standard error of that. A margin is the right class's logit less the best of the others': above 0 it is predicted.

    Counting among n photos knows nothing below 1 in n. This counts over all n * n pairs of a photo's margin and a
    photo's change how often the one would take the other across 0; and as changes that do as much good as harm leave
    accuracy where it was, it takes that part of them by which they lean to one side. It supposes changes that are small
    beside the margins, and no larger for large ones.
    """
    change = (others - margins).double()
    size = float(change.abs().mean())
    if not size:
        return 0.0
    before = margins.double()[:, None]
    crossing = float(((before + change > 0) != (before > 0)).double().mean())
    leaning = (abs(float(change.mean())) + float(change.std()) / math.sqrt(len(change))) / size
    return crossing * min(1.0, leaning)
