"""Fails as users' scripts do: deep in a call, after some output."""


def load(path):
    with open(path) as file:  # noqa: PTH123
        return file.read()


print("about to read")
load("/no/such/file")
