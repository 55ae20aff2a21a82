"""`sagehound up`, `down` and `status`."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from sagehound import __version__, daemon
from sagehound.address import Address
from sagehound.cli.connection import Connection, connect, pages
from sagehound.cli.console import AsJson, Home, duration, home_of, progress, say, say_json
from sagehound.errors import InvalidInput
from sagehound.settings import DEFAULT_ACCOUNT, DEFAULT_PORT, DEFAULT_REGION, Settings

RUNNING = ("InProgress", "Stopping")


def up(
    home: Home = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Go on in the background.")] = False,
    account: Annotated[str, typer.Option(envvar="SAGEHOUND_ACCOUNT", help="The 12 digits in ARNs.")] = DEFAULT_ACCOUNT,
    region: Annotated[str, typer.Option(envvar="SAGEHOUND_REGION", help="The region it says.")] = DEFAULT_REGION,
    host: Annotated[
        str, typer.Option(envvar="SAGEHOUND_HOST", help="Where to listen. Any but loopback opens it to others.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="SAGEHOUND_PORT", help="0 takes any free one.")] = DEFAULT_PORT,
    s3_endpoint: Annotated[
        str, typer.Option(envvar="SAGEHOUND_S3_ENDPOINT", help="An S3 of your own, instead of the embedded one.")
    ] = "",
    max_hosts: Annotated[
        int, typer.Option(envvar="SAGEHOUND_MAX_HOSTS", min=0, help="Job instances side by side. 0: one a core.")
    ] = 0,
    fast_malloc: Annotated[
        bool, typer.Option(envvar="SAGEHOUND_FAST_MALLOC", help="Let training steps keep their memory buffers.")
    ] = True,
    warm_start: Annotated[
        bool, typer.Option(envvar="SAGEHOUND_WARM_START", help="Start jobs with their libraries imported already.")
    ] = True,
    smtp: Annotated[
        str,
        typer.Option(
            envvar="SAGEHOUND_SMTP_URL",
            help="Mail server for a rule's Email action: smtp://user:password@host:port?from=address",
        ),
    ] = "",
    webhook: Annotated[
        str, typer.Option(envvar="SAGEHOUND_WEBHOOK", help="A URL that is sent each rule's first finding.")
    ] = "",
) -> None:
    """Start the service: the SageMaker API and an S3 on this machine."""
    settings = Settings(
        home=home_of(home),
        account=account,
        region=region,
        host=host,
        port=port,
        s3_endpoint=s3_endpoint,
        max_hosts=max_hosts,
        fast_malloc=fast_malloc,
        warm_start=warm_start,
        smtp=smtp,
        webhook=webhook,
    )
    address = daemon.running(settings.home)
    if address is not None:
        progress(f"Sagehound already runs at {address.endpoint} (process {address.pid}, home {settings.home}).")
        progress("To start it with other options: sagehound down, then up again.")
    elif detach:
        began = time.monotonic()
        # By the environment: they may hold a password, and everyone sees a command line.
        os.environ |= {"SAGEHOUND_SMTP_URL": smtp, "SAGEHOUND_WEBHOOK": webhook}
        address = daemon.start(settings.home, _options(settings))
        progress(_banner(address, settings.home, time.monotonic() - began))
        progress("It goes on in the background: sagehound status, sagehound down")
    else:
        _serve(settings)


def _options(settings: Settings) -> list[str]:
    """The command line of an `up` with these settings, but for those that are said otherwise."""
    named = asdict(settings)
    for name in ("home", "smtp", "webhook"):
        del named[name]
    switches = {name.replace("_", "-"): named.pop(name) for name in ("fast_malloc", "warm_start")}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in named.items()]
    return [*options, *(f"--{name}" if on else f"--no-{name}" for name, on in switches.items())]


def _serve(settings: Settings) -> None:
    from sagehound.service import run

    began = time.monotonic()

    def ready(address: Address) -> None:
        progress(_banner(address, settings.home, time.monotonic() - began))
        progress("Ctrl-C ends it. Jobs that run then go on; the next `sagehound up` takes them over.")

    try:
        run(settings, ready)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
            raise
        raise InvalidInput(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; "
            "choose another port (--port 8400, or SAGEHOUND_PORT=8400 before the command) or any free one (--port 0)"
        ) from None
    progress("Sagehound ended.")


def _banner(address: Address, home: Path, took_s: float) -> str:
    objects = f"{address.s3_endpoint}"
    if (home / "s3").exists():
        objects += f"   buckets are folders in {home / 's3'}"
    return (
        f"Sagehound {__version__} is ready ({duration(took_s)}).\n"
        f"  API      {address.endpoint}   account {address.account}, region {address.region}\n"
        f"  Objects  {objects}\n"
        f"  Home     {home}\n"
        "Use it\n"
        "  sagehound run -- python my_program.py     (or jupyter lab, or a notebook.ipynb)\n"
        '  eval "$(sagehound env)"                   for this whole shell, AWS CLI included\n'
        "  import sagehound; sagehound.activate()    in a notebook's first cell"
    )


def down(home: Home = None) -> None:
    """End the service. Jobs that run go on; the next `up` takes them over and brings the endpoints back."""
    folder = home_of(home)
    address = daemon.running(folder)
    counted = _counts(Connection(folder, address)) if address else {}
    pid = daemon.stop(folder)
    progress(f"Sagehound (process {pid}) ended.")
    if counted.get("training_jobs"):
        progress(f"Jobs that go on by themselves: {', '.join(counted['training_jobs'])}.")
    if counted.get("tuning_jobs"):
        progress(f"Tuning jobs that wait for the service: {', '.join(counted['tuning_jobs'])}.")
    if counted.get("endpoints"):
        progress(f"Endpoints that ended and come back with it: {', '.join(counted['endpoints'])}.")
    if any(counted.values()):
        progress("The next `sagehound up` takes them over.")


def _counts(connection: Connection) -> dict[str, list[str]]:
    """The names of what runs now."""
    sagemaker = connection.client("sagemaker")
    found: dict[str, list[str]] = {"training_jobs": [], "tuning_jobs": [], "endpoints": []}
    for status in RUNNING:
        for job in pages(sagemaker, "list_training_jobs", "TrainingJobSummaries", StatusEquals=status):
            found["training_jobs"].append(job["TrainingJobName"])
        tunings = pages(
            sagemaker, "list_hyper_parameter_tuning_jobs", "HyperParameterTuningJobSummaries", StatusEquals=status
        )
        found["tuning_jobs"] += [job["HyperParameterTuningJobName"] for job in tunings]
    found["endpoints"] = [e["EndpointName"] for e in pages(sagemaker, "list_endpoints", "Endpoints")]
    return found


def status(home: Home = None, as_json: AsJson = False) -> None:
    """Whether the service runs, where, and what it does."""
    connection = connect(home)
    address, counted = connection.address, _counts(connection)
    if as_json:
        data: dict[str, Any] = {"version": __version__, "home": str(connection.home), **asdict(address), **counted}
        say_json(data)
        return
    say(f"Sagehound {__version__} runs at {address.endpoint} (process {address.pid}).")
    say(f"  account    {address.account}, region {address.region}")
    say(f"  objects    {address.s3_endpoint}")
    say(f"  home       {connection.home}")
    for label, key in (("training", "training_jobs"), ("tuning", "tuning_jobs"), ("endpoints", "endpoints")):
        say(f"  {label:<10} {', '.join(counted[key]) or 'none'}")
