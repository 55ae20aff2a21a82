"""Collections."""

from sagehound.debug.config.collection import Collection, CollectionKeys
from sagehound.debug.config.collections import BUILT_IN

DEFAULT_PYTORCH_COLLECTIONS = set(BUILT_IN)

__all__ = ["DEFAULT_PYTORCH_COLLECTIONS", "Collection", "CollectionKeys"]
