"""Whether the batch is too small for the machine."""

from __future__ import annotations

from sagehound.pages.markup import Html
from sagehound.profile.report.material import Material
from sagehound.profile.report.sections.topics import topic


def batch_size(material: Material) -> Html:
    """Whether the batch is too small for the machine."""
    return topic(
        material,
        "batch",
        "Batch size",
        "Could the machine take more at a time? It could where neither cores nor GPU nor the GPU's memory are used up.",
        rules=("BatchSize", "TinyOperators"),
        dimensions=("GPUUtilization", "GPUMemoryUtilization"),
    )
