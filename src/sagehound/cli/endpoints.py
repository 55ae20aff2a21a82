"""`sagehound endpoints`, `endpoints delete` and `predict`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from sagehound.cli.connection import connect, pages
from sagehound.cli.console import AsJson, Home, progress, say_json, say_table
from sagehound.cli.failures import FriendlyGroup
from sagehound.cli.pictures import read_picture
from sagehound.cli.predictions import prediction
from sagehound.errors import InvalidInput, NotFound

app = typer.Typer(cls=FriendlyGroup, help="List endpoints, or delete some.", pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def endpoints(context: typer.Context, home: Home = None, as_json: AsJson = False) -> None:
    """List the endpoints, newest first."""
    if context.invoked_subcommand:
        return
    sagemaker = connect(home).client("sagemaker")
    names = [e["EndpointName"] for e in pages(sagemaker, "list_endpoints", "Endpoints", SortBy="CreationTime")]
    found = [_describe(sagemaker, name) for name in names]
    if as_json:
        say_json(found)
        return
    rows = [_row(endpoint) for endpoint in found]
    columns = ("NAME", "STATUS", "VARIANTS", "REASON")
    shown = len(columns) if any(row[-1] for row in rows) else len(columns) - 1
    say_table(columns[:shown], [row[:shown] for row in rows])
    if not found:
        progress("no endpoints; deploy one from a program, or see one with: sagehound demo --keep")


def _describe(sagemaker: Any, name: str) -> dict[str, Any]:  # noqa: ANN401
    description: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
    description.pop("ResponseMetadata", None)
    return description


def _row(endpoint: dict[str, Any]) -> tuple[str, ...]:
    variants = ", ".join(
        f"{v['VariantName']} x{v.get('CurrentInstanceCount', 1)}" for v in endpoint.get("ProductionVariants", [])
    )
    return (
        endpoint["EndpointName"],
        endpoint["EndpointStatus"],
        variants,
        endpoint.get("FailureReason", ""),
    )


@app.command()
def delete(
    names: Annotated[list[str] | None, typer.Argument(metavar="ENDPOINT...")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every endpoint there is.")] = False,
    home: Home = None,
) -> None:
    """Delete endpoints, with their configurations; models stay."""
    if bool(names) == every:
        raise InvalidInput("name the endpoints to delete, or say --all; sagehound endpoints lists them")
    sagemaker = connect(home).client("sagemaker")
    known = {e["EndpointName"] for e in pages(sagemaker, "list_endpoints", "Endpoints")}
    wanted = sorted(known) if every else list(dict.fromkeys(names or []))
    missing = [name for name in wanted if name not in known]
    if missing:
        raise NotFound(
            f"no endpoint is named {', '.join(missing)}; nothing was deleted; sagehound endpoints lists them"
        )
    for name in wanted:
        config = sagemaker.describe_endpoint(EndpointName=name).get("EndpointConfigName", "")
        if config:
            sagemaker.delete_endpoint_config(EndpointConfigName=config)
        sagemaker.delete_endpoint(EndpointName=name)
        progress(f"deleted {name}")


def predict(
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT")],
    images: Annotated[list[str], typer.Argument(metavar="IMAGE_OR_URL...", help="JPEG or PNG files, or addresses.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Send pictures to an endpoint and print the label and the probability of each."""
    runtime = connect(home).client("sagemaker-runtime")
    results: list[dict[str, Any]] = []
    for image in images:
        body, content_type = read_picture(image)
        answer = prediction(invoke(runtime, endpoint, body, content_type))
        results.append({"image": image, "label": answer.label, "probability": answer.probability})
    if as_json:
        say_json(results)
        return
    say_table(("IMAGE", "LABEL", "PROBABILITY"), [(r["image"], r["label"], f"{r['probability']:.1%}") for r in results])


#: Asks Sagehound's own inference code for names beside the scores; code that knows no such thing gets the plain type.
_ACCEPTS = ("application/json;verbose=true", "application/json")


def invoke(runtime: Any, endpoint: str, body: bytes, content_type: str) -> Any:  # noqa: ANN401
    """The endpoint's JSON, with class names where it has them."""
    for accept in _ACCEPTS:
        try:
            reply = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type, Accept=accept)
            return json.loads(reply["Body"].read())
        except runtime.exceptions.ModelError:
            if accept == _ACCEPTS[-1]:
                raise
        except ValueError as error:
            raise InvalidInput(f"{endpoint} answered no JSON ({error}); invoke it from a program instead") from None
    return None
