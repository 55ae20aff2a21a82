"""Whether the training waits for the cores."""

from __future__ import annotations

from sagehound.pages.markup import Html
from sagehound.profile.report.material import Material
from sagehound.profile.report.sections.topics import topic


def cpu_bottlenecks(material: Material) -> Html:
    """Whether the training waits for the cores."""
    return topic(
        material,
        "cpu-bottlenecks",
        "CPU bottlenecks",
        "Does the training wait for the cores: for the loader's processes, or because threads fight over them?",
        rules=("LoaderBound", "Dataloader", "CPUBottleneck", "ThreadsOversubscribed"),
        dimensions=(),
    )
