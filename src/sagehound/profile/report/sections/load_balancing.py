"""Whether all GPUs have as much to do."""

from __future__ import annotations

from sagehound.pages.markup import Html
from sagehound.profile.report.material import Material
from sagehound.profile.report.sections.topics import topic


def load_balancing(material: Material) -> Html:
    """Whether all GPUs have as much to do."""
    return topic(
        material,
        "balance",
        "Load balancing",
        "Have all GPUs, and all machines, as much to do?",
        rules=("LoadBalancing",),
        dimensions=("GPUUtilization",),
    )
