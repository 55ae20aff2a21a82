"""Collections."""

from sagehound.debug.collection import Collection, CollectionKeys
from sagehound.debug.collections import BUILT_IN

DEFAULT_PYTORCH_COLLECTIONS = set(BUILT_IN)

__all__ = ["DEFAULT_PYTORCH_COLLECTIONS", "Collection", "CollectionKeys"]
