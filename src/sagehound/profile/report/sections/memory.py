"""Whether the memory lasts."""

from __future__ import annotations

from sagehound.pages.markup import Html
from sagehound.profile.report.material import Material
from sagehound.profile.report.sections.topics import topic


def memory(material: Material) -> Html:
    """Whether the memory lasts."""
    return topic(
        material,
        "memory",
        "Memory",
        "Does the memory last, and does its use grow?",
        rules=("GPUMemoryIncrease", "MemoryGrowth"),
        dimensions=("MemoryUsedPercent", "GPUMemoryUtilization"),
    )
