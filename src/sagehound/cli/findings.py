"""The findings of rules, as a person reads them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sagehound.cli.console import say

_WIDTH = 110
_LABELS = (("message", ""), ("why", "Why: "), ("change", "Change: "), ("code", "        "))


def say_findings(findings: Iterable[Mapping[str, Any]]) -> None:
    """Print each with its place, its numbers, why it matters and what to change."""
    for number, finding in enumerate(findings, 1):
        say(f"\n{number}. {': '.join(filter(None, (finding['rule'], place(finding))))}")
        lines = [(label, str(finding[key])) for key, label in _LABELS if finding.get(key)]
        if finding.get("gain_s") is not None:
            lines.append(("Gain: ", f"about {finding['gain_s']:.3g} s; {finding.get('estimate', '')}"))
        for label, text in lines:
            for line in textwrap.wrap(f"{label}{text}", _WIDTH, subsequent_indent=" " * len(label)):
                say(f"   {line}")


def place(finding: Mapping[str, Any]) -> str:
    """Where a finding was made; "" for the profiler's, which are about the whole job.

    >>> place({"rule": "DeadRelu", "step": 20, "mode": "TRAIN", "tensor": "act_output_0", "module": "act"})
    'act_output_0 (module act), TRAIN step 20'
    """
    module, tensor = finding.get("module", ""), finding.get("tensor", "")
    where = f"{tensor} (module {module})" if tensor and module else tensor or (f"module {module}" if module else "")
    if "step" not in finding:
        return where
    step = f"{finding.get('mode', 'GLOBAL')} step {finding['step']}"
    return f"{where}, {step}" if where else step


def counted(count: int, what: str, many: Sequence[str] = ()) -> str:
    """
    >>> counted(1, "finding"), counted(3, "finding"), counted(0, "finding")
    ('1 finding', '3 findings', 'no findings')
    """
    return f"{count or 'no'} {what if count == 1 else (many[0] if many else f'{what}s')}"
