"""All collections of a hook."""

from sagehound.debug.config.collections import Collections as CollectionManager

__all__ = ["CollectionManager"]
