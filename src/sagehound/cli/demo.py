"""TODO"""


def demo() -> None:
    """The whole story"""
