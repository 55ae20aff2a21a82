"""Amazon SageMaker's image-classification workflow on your own machine.

>>> import sagehound
>>> sagehound.activate()  # doctest: +SKIP
Sagehound active: http://127.0.0.1:8383, account 000000000000, region us-east-1; objects in http://127.0.0.1:8384
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than all that a job's supervision does before its script starts
    from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "activate", "deactivate"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """`activate` and `deactivate`, imported at their first use: importing sagehound costs nothing."""
    if name in ("activate", "deactivate"):
        from sagehound import client

        return getattr(client, name)
    raise AttributeError(f"module 'sagehound' has no attribute {name!r}")
