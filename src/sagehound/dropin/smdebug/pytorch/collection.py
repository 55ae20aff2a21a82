"""Collections."""

from sagehound.debug.config.collection import Collection, CollectionKeys
from sagehound.debug.config.collections import Collections as CollectionManager

__all__ = ["Collection", "CollectionKeys", "CollectionManager"]
