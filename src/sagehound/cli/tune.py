"""`sagehound tune`: a tuning job on a folder of photos, watched until it ends, and its page."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from sagehound.cli import recipe as recipes
from sagehound.cli.connection import Connection, connect_or_start
from sagehound.cli.console import AsJson, Home, duration, progress, say_json
from sagehound.cli.ranges import FORMS, read_ranges
from sagehound.cli.recipe import Recipe
from sagehound.cli.search_request import DATA_TAG, SCRIPT_TAG, Place, Search, request
from sagehound.cli.training_words import BUILT_IN_SCRIPT
from sagehound.cli.upload import make_bucket, upload, upload_code
from sagehound.cli.watch import say_end, watch
from sagehound.errors import InvalidInput, JobFailure, NotFound
from sagehound.names import S3Uri
from sagehound.tuning.report.passed_over import passed_over
from sagehound.tuning.report.study import Study

STRATEGIES = ("Bayesian", "Random", "Grid", "Hyperband")
_NAME_CHARACTERS = 32


def tune(
    data: Annotated[Path, typer.Option("--data", metavar="FOLDER", help="Class folders, or train and test of them.")],
    range_: Annotated[
        list[str] | None, typer.Option("--range", metavar="NAME=RANGE", help=f"What is searched: {FORMS}; may repeat.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A fixed hyperparameter; may repeat.")
    ] = None,
    trials: Annotated[int | None, typer.Option("--trials", min=1, help="How many.", show_default="20")] = None,
    parallel: Annotated[int, typer.Option("--parallel", min=1, help="How many side by side.")] = 2,
    strategy: Annotated[str, typer.Option("--strategy", help=", ".join(STRATEGIES))] = "Bayesian",
    early_stopping: Annotated[
        bool, typer.Option("--early-stopping", help="Stop trials behind the others, by validation loss (see below).")
    ] = False,
    objective: Annotated[str, typer.Option("--objective", metavar="METRIC", help="What is best.")] = "",
    goal: Annotated[str, typer.Option("--goal", help="minimize or maximize.", show_default="by the name")] = "",
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="The same trials again.")] = None,
    model: Annotated[str, typer.Option("--model", help="A timm architecture.", show_default="EfficientNet-Lite0")] = "",
    weights: Annotated[Path | None, typer.Option("--weights", metavar="FILE", help="Its weights.")] = None,
    script: Annotated[Path | None, typer.Option("--script", metavar="FILE", help="Your own training script.")] = None,
    source_dir: Annotated[
        Path | None, typer.Option("--source-dir", metavar="FOLDER", help="The folder that the script needs.")
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", metavar="NAME=REGEX", help="What your script's log tells.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="The tuning job's name.", show_default="FOLDER-TIME")] = "",
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Where its page goes.", show_default="NAME.html")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Search the hyperparameters that train best on FOLDER, and write what was found as one HTML file.

    Without --script: a timm backbone, frozen (`--set finetune=all`: not), on lr, batch_size and epochs.

    To stop trials early, each needs photos to validate on: FOLDER/validation beside train and test, else 0.15 of each
    class's training photos (`--set validation_share=0.2`: another part).
    """
    if not data.is_dir():
        raise NotFound(f"there is no folder {str(data)!r}; name one with a folder of photos for each class")
    if strategy not in STRATEGIES:
        raise InvalidInput(f"--strategy is {strategy!r}; allowed are {', '.join(STRATEGIES)}")
    stops = early_stopping or strategy == "Hyperband"
    if script is None:
        if metric or source_dir:
            raise InvalidInput("--metric and --source-dir describe a script of yours; name it with --script FILE")
        recipe = recipes.built_in(data, objective, goal, stops)
    else:
        recipe = recipes.own_script(script, metric or [], objective, goal, source_dir)
    holds_out = "validation_share" in recipe.static
    recipe = replace(recipe, static=_static(recipe, set_ or [], model, weights, range_ or [], stops))
    search = Search(
        ranges=_ranges(recipe, range_ or [], stops, strategy),
        strategy=strategy,
        trials=trials if trials or strategy == "Grid" else 20,
        parallel=parallel,
        early_stopping=early_stopping,
        resource=(1, int(recipe.static["epochs"])) if strategy == "Hyperband" and "epochs" in recipe.static else None,
        seed=seed,
    )
    if holds_out:
        share = recipe.static.get("validation_share", "a part")
        progress(
            f"{data} has no photos to validate on: each trial holds out {share} of every class's training photos, "
            f"and {recipe.objective} is measured on those"
        )
    called = name or _name(data)
    path = _page(page, called)
    connection, _ = connect_or_start(home)
    _create(connection, called, recipe, search, data)
    study = watch(connection, called, path)
    if as_json:
        say_json(_summary(study, path))
    else:
        say_end(study, path)
    _check_found(study, path)


def _check_found(study: Study, path: Path) -> None:
    """JobFailure, with what to do, where no trial gave the objective."""
    if study.best is None and study.status == "Stopped":
        raise JobFailure(
            f"{study.name} was stopped before a trial had ended with a {study.metric}; begin anew with more time"
        )
    if study.best is None:
        raise JobFailure(
            f"no trial of {study.name} gave a {study.metric}; see why in {path}, or with: sagehound logs {study.name}"
        )


def _static(
    recipe: Recipe, fixed: Sequence[str], model: str, weights: Path | None, ranges: Sequence[str], stops: bool
) -> dict[str, str]:
    """The fixed hyperparameters as the SDK sends them; InvalidInput for one that the built-in script does not have."""
    pairs = [text.partition("=") for text in fixed]
    for (name, equals, value), text in zip(pairs, fixed, strict=True):
        if not (name and equals and value):
            raise InvalidInput(f"--set {text!r} sets nothing; write NAME=VALUE")
    given = {name: value for name, _, value in pairs}
    searched = {text.partition("=")[0].strip() for text in ranges}
    named = {name.replace("-", "_") for name in searched | set(given)}
    given |= {name: value for name, value in recipe.static.items() if name not in named}
    if weights is not None and not weights.is_file():
        raise NotFound(f"there is no file {str(weights)!r}; give the weights' path")
    given |= {"model": model} if model else {}
    given |= {"weights": str(weights.resolve())} if weights else {}
    if recipe.built_in and stops and "epochs" not in searched | set(given):
        given["epochs"] = str(recipes.EPOCHS_OF_LONG_TRIALS)
    if recipe.built_in:
        for name, value in given.items():
            recipes.check_value(name, value)
    both = sorted(set(given) & searched)
    if both:
        raise InvalidInput(f"{', '.join(both)} cannot be both searched and set; leave out --range or --set")
    return {name: value if _is_number(value) else f'"{value}"' for name, value in given.items()}


def _ranges(recipe: Recipe, given: Sequence[str], stops: bool, strategy: str) -> list[Any]:
    if not given and not recipe.built_in:
        raise InvalidInput(f"name what is to be searched: --range {FORMS}")
    usual = recipes.RANGES_OF_LONG_TRIALS if stops else recipes.RANGES
    free = [text for text in usual if text.partition("=")[0] not in recipe.static]
    ranges = read_ranges(given or free)
    if recipe.built_in:
        recipes.check_ranges(ranges)
    others = [each.name for each in ranges if each.type != "Categorical"]
    if strategy == "Grid" and others:
        raise InvalidInput(
            f"Grid takes ranges of listed values only, and {', '.join(others)} {'has' if len(others) == 1 else 'have'} "
            "bounds; list the values, e.g. --range lr=0.001,0.01, or choose --strategy Bayesian or Random"
        )
    return ranges


def _create(connection: Connection, name: str, recipe: Recipe, search: Search, data: Path) -> None:
    """Upload the code and the photos, and create the tuning job."""
    who = connection.client("sts").get_caller_identity()
    region = connection.address.region
    bucket = f"sagemaker-{region}-{who['Account']}"
    role = f"arn:aws:iam::{who['Account']}:role/{who['Arn'].split('/')[-2]}"
    s3 = connection.client("s3")
    make_bucket(bucket, s3)
    began = time.monotonic()
    channel, count = upload(data, bucket)
    progress(f"{count} files are in {channel}, after {duration(time.monotonic() - began)}")
    code = upload_code(recipe.script, recipe.source, S3Uri(bucket, f"{name}/source"), s3)
    place = Place(role=role, bucket=bucket, code=code, channel=channel, region=region)
    script = BUILT_IN_SCRIPT if recipe.built_in else str(recipe.script.resolve())
    tags = {DATA_TAG: str(data.resolve()), SCRIPT_TAG: script}
    connection.client("sagemaker").create_hyper_parameter_tuning_job(**request(name, recipe, search, place, tags))
    words = " ".join(f"{each.name}={','.join(each.values) or f'{each.low}:{each.high}'}" for each in search.ranges)
    aim = "maximizes" if recipe.maximize else "minimizes"
    progress(f"{name} {aim} {recipe.objective} over {words}")


def _name(data: Path) -> str:
    """The folder's name and the time, to the second, as a tuning job may be called."""
    stamp = time.strftime("%y%m%d-%H%M%S")
    word = re.sub(r"[^A-Za-z0-9]+", "-", data.absolute().name).strip("-") or "tune"
    return f"{word[: _NAME_CHARACTERS - len(stamp) - 1].strip('-')}-{stamp}"


def _page(given: Path | None, name: str) -> Path:
    """Where the page goes; InvalidInput where it cannot, which is better known now than after the last trial."""
    path = (given or Path()).expanduser().absolute()
    if given is None or path.is_dir():
        path = path / f"{name}.html"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except OSError as problem:
        raise InvalidInput(f"the page cannot be written to {path} ({problem}); name another with --page FILE") from None


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _summary(study: Any, path: Path) -> dict[str, Any]:  # noqa: ANN401
    best, better = study.best, passed_over(study)
    return {
        "name": study.name,
        "status": study.status,
        "objective": study.metric,
        "notes": study.remarks,
        "best": best and {"trial": best.name, "value": best.objective, "values": best.values, "metrics": best.metrics},
        "command": study.command,
        "passed_over": better and {
            "trial": better.name, "value": better.objective, "values": better.values,
            "command": study.passed_over_command,
        },
        "trials": [
            {"number": each.number, "name": each.name, "outcome": each.outcome, "objective": each.objective,
             "values": each.values, "seconds": each.seconds}
            for each in study.trials
        ],
        "seconds": study.length_s,
        "page": str(path),
    }  # fmt: skip
