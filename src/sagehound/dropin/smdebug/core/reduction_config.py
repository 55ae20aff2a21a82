"""Which reductions are saved."""

from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.debug.reductions import NORMS, REDUCTIONS

ALLOWED_NORMS = list(NORMS)
ALLOWED_REDUCTIONS = list(REDUCTIONS)

__all__ = ["ALLOWED_NORMS", "ALLOWED_REDUCTIONS", "ReductionConfig"]
