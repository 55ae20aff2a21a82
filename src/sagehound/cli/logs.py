"""`sagehound logs`: what a job or an endpoint printed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from sagehound.cli.connection import Connection, connect, pages
from sagehound.cli.console import Home, progress, say
from sagehound.cli.jobs import TRAINING, find
from sagehound.errors import NotFound

JOB_GROUP = "/aws/sagemaker/TrainingJobs"
ENDPOINT_GROUP = "/aws/sagemaker/Endpoints/"
_POLL_S = 0.5


def logs(
    name: Annotated[str, typer.Argument(metavar="JOB", help="A training job, a tuning job or an endpoint.")],
    home: Home = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,
) -> None:
    """Print the log of a training job, of all trials of a tuning job, or of an endpoint."""
    connection = connect(home)
    tail = _tail(connection, name)
    while True:
        ended = tail.ended()  # Asked before reading: what was printed until then is printed below.
        for line in tail.lines():
            say(line)
        if ended or not follow:
            break
        time.sleep(_POLL_S)
    if not tail.seen:
        progress(f"{name} has printed nothing so far; go on reading with: sagehound logs -f {name}")


class Tail:
    """The log streams of one group whose names start with a prefix, each read on from where it was left."""

    def __init__(self, client: Any, group: str, prefix: str) -> None:  # noqa: ANN401
        self._client = client
        self._group = group
        self._prefix = prefix
        self._tokens: dict[str, str] = {}
        self.seen = False

    def ended(self) -> bool:
        """Whether nothing more can come."""
        return False

    def streams(self) -> list[str]:
        """The names of the streams that there are by now."""
        request: dict[str, Any] = {"logGroupName": self._group}
        if self._prefix:
            request["logStreamNamePrefix"] = self._prefix
        try:
            return [s["logStreamName"] for s in pages(self._client, "describe_log_streams", "logStreams", **request)]
        except (self._client.exceptions.ResourceNotFoundException, self._client.exceptions.InvalidParameterException):
            return []

    def lines(self) -> Iterator[str]:
        """What has come since the last call; with the stream's name in front where there are several."""
        streams = self.streams()
        for stream in streams:
            label = f"[{stream.split('/')[0][-12:]}/{stream.split('/')[-1][:6]}] " if len(streams) > 1 else ""
            for line in self._new_lines(stream):
                self.seen = True
                yield label + line

    def _new_lines(self, stream: str) -> Iterator[str]:
        while True:
            token = self._tokens.get(stream)
            page = self._client.get_log_events(
                logGroupName=self._group,
                logStreamName=stream,
                startFromHead=True,
                **({"nextToken": token} if token else {}),
            )
            yield from (event["message"] for event in page["events"])
            self._tokens[stream] = page["nextForwardToken"]
            if page["nextForwardToken"] == token or not page["events"]:
                return


class JobTail(Tail):
    """The log of one training job, or of every trial of a tuning job."""

    def __init__(self, client: Any, sagemaker: Any, name: str, kind: str) -> None:  # noqa: ANN401
        super().__init__(client, JOB_GROUP, f"{name}/" if kind == TRAINING else f"{name}-")
        self._sagemaker = sagemaker
        self._name = name

    def ended(self) -> bool:
        """Whether the job has ended."""
        kind, job = find(self._sagemaker, self._name)
        status = job["TrainingJobStatus" if kind == TRAINING else "HyperParameterTuningJobStatus"]
        return status not in ("InProgress", "Stopping")


class EndpointTail(Tail):
    """The log of one endpoint, or what is left of one that was deleted. NotFound where there never was one."""

    def __init__(self, client: Any, sagemaker: Any, name: str) -> None:  # noqa: ANN401
        super().__init__(client, ENDPOINT_GROUP + name, "")
        self._sagemaker = sagemaker
        self._name = name
        if self.ended() and not self.streams():
            raise NotFound(
                f"no training job, tuning job or endpoint is named {name!r}; "
                "see what there is with: sagehound jobs, sagehound endpoints"
            )

    def ended(self) -> bool:
        """Whether the endpoint is gone."""
        endpoints = pages(self._sagemaker, "list_endpoints", "Endpoints", NameContains=self._name)
        return self._name not in [endpoint["EndpointName"] for endpoint in endpoints]


def _tail(connection: Connection, name: str) -> Tail:
    sagemaker, client = connection.client("sagemaker"), connection.client("logs")
    try:
        kind, _ = find(sagemaker, name)
        return JobTail(client, sagemaker, name, kind)
    except NotFound:
        pass
    return EndpointTail(client, sagemaker, name)
