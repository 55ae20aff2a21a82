"""What a user reads when a command fails: what was wrong, then what to do, without a traceback."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from sagehound.cli.console import progress
from sagehound.errors import SagehoundError

EXIT_FAILURE = 1

_ADVICE = {
    "InvalidClientTokenId": "the service has other keys than this home; name its home with --home or SAGEHOUND_HOME",
    "SignatureDoesNotMatch": "the service has other keys than this home; name its home with --home or SAGEHOUND_HOME",
    "ModelError": "see what the endpoint printed: sagehound logs ENDPOINT",
}
_ANY_ADVICE = "see what there is with: sagehound jobs, sagehound endpoints"


class FriendlyGroup(TyperGroup):
    """A group of commands whose expected failures are one line on stderr and exit status 1."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        """Run the command; SagehoundError and the AWS client's errors become text."""
        try:
            return super().invoke(ctx)
        except SagehoundError as error:
            text = error.message
        except Exception as error:
            text = _aws_text(error)
            if not text:
                raise
        progress(f"error: {text}")
        raise typer.Exit(EXIT_FAILURE)


def _aws_text(error: Exception) -> str:
    """The words for an error of botocore's, empty for any other. botocore is loaded by then, if it raised."""
    if not type(error).__module__.startswith("botocore."):
        return ""
    response = getattr(error, "response", None)
    if not response:
        there = "Connect" in type(error).__name__
        return f"{error}; {'is the service there? sagehound status' if there else 'give it as this says'}"
    said = response.get("Error", {})
    return f"{said.get('Message', error)} ({said.get('Code', '')}); {_ADVICE.get(said.get('Code', ''), _ANY_ADVICE)}"
