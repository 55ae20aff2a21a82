"""The `sagehound` command: argument parsing, then the same calls that a user would make."""


def main() -> None:
    """Entry point of the command."""
    from sagehound.cli.application import app

    app(prog_name="sagehound")
