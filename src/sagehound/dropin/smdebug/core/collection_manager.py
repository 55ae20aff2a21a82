"""All collections of a hook."""

from sagehound.debug.collections import Collections as CollectionManager

__all__ = ["CollectionManager"]
