"""Collections."""

from sagehound.debug.collection import Collection, CollectionKeys
from sagehound.debug.collections import Collections as CollectionManager

__all__ = ["Collection", "CollectionKeys", "CollectionManager"]
