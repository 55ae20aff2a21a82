"""Whether the training waits for the disk."""

from __future__ import annotations

from sagehound.pages.markup import Html
from sagehound.profile.report.material import Material
from sagehound.profile.report.sections.topics import topic


def io_bottlenecks(material: Material) -> Html:
    """Whether the training waits for the disk."""
    return topic(
        material,
        "io-bottlenecks",
        "I/O bottlenecks",
        "Does the training wait for the disk?",
        rules=("IOBottleneck",),
        dimensions=("I/OWaitPercentage",),
    )
