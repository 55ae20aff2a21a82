"""`python -m sagehound.cli` is `sagehound`."""

from sagehound.cli import main

main()
