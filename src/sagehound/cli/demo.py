"""`sagehound demo`: upload, tune, train, deploy, ask and look back, through the official SDK, on this machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from pprint import pformat
from shlex import quote
from shutil import which
from typing import Annotated, Any

import typer

from sagehound import daemon
from sagehound.cli.connection import Connection, connect_or_start
from sagehound.cli.console import Home, duration, progress, say, say_table
from sagehound.cli.digits import SIDE_PIXELS, write_digits
from sagehound.cli.loss_curve import draw_loss_curve
from sagehound.errors import InvalidInput, NotFound

STEPS = 8
OUTPUT = Path("demo-output")
REPORT, TUNING = "profiler-report.html", "tuning.html"
DIGITS = "digits"
PICTURES = {".jpg", ".jpeg", ".png"}


def demo(
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Your photos: FOLDER/CLASS/*.jpg, or with train and test folders in between."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the endpoint up, and the service.")] = False,
    output: Annotated[Path, typer.Option(help="Where the loss curve goes.")] = OUTPUT,
    home: Home = None,
) -> None:
    """Upload pictures, tune, train the best, deploy it, ask it and say where the time of the training went.

    Without --data: scikit-learn's handwritten digits.
    """
    if data is not None:
        _check_photos(data)
    began = time.monotonic()
    with _step(1, "Start the service and the object store"):
        connection, started = connect_or_start(home)
        story = _story(connection)
        say(f"The SageMaker API is at {connection.address.endpoint}, S3 at {connection.address.s3_endpoint}.")
    predictor = None
    try:
        predictor = _tell(story, data, output)
    except KeyboardInterrupt:
        command = _command()
        progress(
            f"Jobs that run go on; see them with: {command} up -d; {command} jobs; end one with: {command} stop JOB"
        )
        raise
    finally:
        if predictor is not None and not keep:
            predictor.delete_endpoint()
        if started and not (keep and predictor is not None):
            daemon.stop(connection.home)
    say(f"\nThe whole story took {duration(time.monotonic() - began)}.")
    _say_next(predictor.endpoint_name if keep else "", data, _a_picture(data or output / DIGITS))
    say(f"\nWhere the training's time went, for a browser: {(output / REPORT).absolute()}")


@contextmanager
def _step(number: int, what: str) -> Iterator[None]:
    say(f"\n{number}/{STEPS}  {what}")
    began = time.monotonic()
    yield
    say(f"     done in {duration(time.monotonic() - began)}")


def _story(connection: Connection) -> Any:  # noqa: ANN401
    if find_spec("sagemaker") is None:
        raise InvalidInput("the demo speaks through the SageMaker SDK; pip install 'sagehound[demo]'")
    from sagehound.cli.story import Story

    return Story.begin(connection)


def _tell(story: Any, data: Path | None, output: Path) -> Any:  # noqa: ANN401
    """Steps 2 to 8; returns the predictor of the endpoint."""
    static: dict[str, str] = {}
    with _step(2, "Take pictures and upload them to S3"):
        folder = data
        if folder is None:
            folder = output / DIGITS
            say(f"{write_digits(folder)} handwritten digits that come with scikit-learn, as JPEG files in {folder}.")
            static = {"image-size": str(SIDE_PIXELS)}
        channel, count = story.upload(folder)
        say(f"{count} files are in {channel}")
    with _step(3, "Tune: lr 0.001 to 0.1, batch_size 32, 64 or 128, epochs 1 or 2; 4 trials, 2 side by side"):
        tuner = story.tune(channel, static)
        columns, rows = story.trials(tuner)
        say_table(columns, rows)
        best = story.best(tuner)
        say("\nThe best hyperparameters:")
        say(pformat(best))
        say(f"\nEvery trial, for a browser: {story.tuning_page(tuner, output / TUNING)}")
    with _step(4, "Train with the best hyperparameters"):
        estimator, description = story.train(channel, best)
        history = story.history(description)
        test = history["test"]
        say(f"Test accuracy {test['accuracy']:.1%}: {test['correct']} of {test['photos']} pictures.")
    with _step(5, "Draw the loss curve"):
        curve = output / "loss.png"
        draw_loss_curve(history, description["TrainingJobName"], curve)
        say(f"{curve.absolute()}")
    with _step(6, "Deploy the model to an endpoint"):
        predictor = story.deploy(estimator)
        say(f"endpoint = {predictor.endpoint_name}")
    with _step(7, "Ask the endpoint what is in a picture"):
        picture = _a_picture(folder)
        answer = story.ask(predictor, picture)
        say(f"{picture}: {answer.label}, probability {answer.probability:.1%}")
    with _step(8, "What the debugger and the profiler saw of the training"):
        say_table(("RULE", "STATUS", ""), story.rules(estimator))
        story.report(description, output / REPORT)
    return predictor


def _check_photos(folder: Path) -> None:
    """NotFound, before anything is started, for a folder that is not there or has no picture in a class's folder."""
    if not folder.is_dir():
        raise NotFound(f"there is no folder {str(folder)!r}; name one with a folder of photos for each class")
    if not any(picture.parent != folder for picture in _pictures(folder)):
        raise NotFound(f"{folder} has no JPEG or PNG in a folder of its class; it needs {folder}/CLASS/photo.jpg")


def _a_picture(folder: Path) -> Path:
    """A picture of the test set, or of any set: the same one every time."""
    found = _pictures(folder / "test") or _pictures(folder)
    return found[len(found) // 2]


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)


def _command() -> str:
    """What to type for `sagehound`: its path where it was started by one, as `make demo` does."""
    return "sagehound" if which("sagehound") else sys.argv[0]


def _say_next(endpoint: str, data: Path | None, picture: Path) -> None:
    command = _command()
    say("Next")
    if endpoint:
        say(f"  {command} predict {endpoint} {quote(str(picture))}")
        say(f"  {command} endpoints delete {endpoint}; {command} down")
    else:
        say(f"  {command} demo --keep              leaves the endpoint up, to ask it more")
    if data is None:
        say(f"  {command} demo --data FOLDER       the same with your photos")
    say(f"  {command} new my-project           the program of this story, to make your own")
