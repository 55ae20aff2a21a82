"""The command's tree: one module a group."""

from __future__ import annotations

from typing import Annotated

import typer

from sagehound import __version__
from sagehound.cli import debugging, demo, endpoints, jobs, logs, programs, report, rules, service, starters, tune
from sagehound.cli.failures import FriendlyGroup

HELP = """Amazon SageMaker's training, tuning and endpoints on your own machine, driven by the SDK, boto3 and AWS CLI
that you already use.

First steps: `sagehound new my-project`, then `sagehound run my-project/train_and_deploy.ipynb`.
"""

app = typer.Typer(
    cls=FriendlyGroup, help=HELP, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"sagehound {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """What every command has in common."""


#: Options behind the first word of `run` belong to the user's program, also where `--` is left out.
_PASS_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}
SERVICE, PROGRAMS, JOBS, ENDPOINTS = "The service", "Your programs", "Jobs", "Endpoints"

app.command(rich_help_panel=PROGRAMS)(demo.demo)
app.command(rich_help_panel=PROGRAMS)(starters.new)
app.command(rich_help_panel=PROGRAMS, context_settings=_PASS_ON)(programs.run)
app.command(rich_help_panel=PROGRAMS, context_settings=_PASS_ON)(debugging.debug)
app.command(rich_help_panel=PROGRAMS)(tune.tune)
app.command(rich_help_panel=PROGRAMS)(programs.env)
app.command(rich_help_panel=SERVICE)(service.up)
app.command(rich_help_panel=SERVICE)(service.down)
app.command(rich_help_panel=SERVICE)(service.status)
app.command("jobs", rich_help_panel=JOBS)(jobs.jobs)
app.command(rich_help_panel=JOBS)(logs.logs)
app.command(rich_help_panel=JOBS)(rules.rules)
app.command(rich_help_panel=JOBS)(report.report)
app.command(rich_help_panel=JOBS)(jobs.stop)
app.add_typer(endpoints.app, name="endpoints", rich_help_panel=ENDPOINTS)
app.command(rich_help_panel=ENDPOINTS)(endpoints.predict)
