"""What a rule found."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault, with its evidence and its cure.

    `step` counts in `mode` ("TRAIN", "EVAL", "GLOBAL" ...). `numbers` are the measured values and the limits they
    broke, by name. `message` is one sentence with both; `why` says why it matters; `change` what to do, as a line of
    code where there is one.
    """

    rule: str
    step: int
    message: str
    why: str
    change: str
    mode: str = "GLOBAL"
    tensor: str = ""
    module: str = ""
    numbers: dict[str, float | str] = {}
