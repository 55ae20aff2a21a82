"""The handler contract: a user's functions, the defaults for those they did not write, and one request through them."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from sagehound.errors import JobFailure
from sagehound.serve import codecs, defaults
from sagehound.serve.context import Context
from sagehound.serve.program import find_program, load_program

#: Each function and its arguments, `context` left out: it may follow as the last one.
CONTRACT = {
    "model_fn": ("model_dir",),
    "input_fn": ("body", "content_type"),
    "predict_fn": ("data", "model"),
    "output_fn": ("prediction", "accept"),
    "transform_fn": ("model", "body", "content_type", "accept"),
}
_THREE = ("input_fn", "predict_fn", "output_fn")

#: Called with the contract's arguments and the context, whether the user's function takes one or not.
Step = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Request:
    """A body and its headers. `content_type` and `accept` may be empty."""

    body: bytearray
    content_type: str = ""
    accept: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """The bytes to answer with, their content type, the HTTP status, and other headers, their names in lower case."""

    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Handlers:
    """A model and the functions that serve it.

    `load` and `handle` run the user's code and let through whatever it raises.
    """

    def __init__(self, module: ModuleType | None, model_dir: Path, default_accept: str = codecs.JSON) -> None:
        functions = _functions(module)
        self._model_dir = str(model_dir)
        self._default_accept = default_accept
        self._system_properties = {"model_dir": self._model_dir, "server_name": "sagehound", "batch_size": 1}
        self._model_fn = _step(functions, "model_fn")
        self._transform = _step(functions, "transform_fn") if "transform_fn" in functions else self._three(functions)
        self._model: Any = None
        self.folder = Path(module.__file__).parent if module and module.__file__ else model_dir

    def load(self) -> None:
        """Call model_fn: the worker serves from then on."""
        self._model = self._model_fn(self._model_dir, Context(self._system_properties))

    def handle(self, request: Request) -> Response:
        """One request through transform_fn, or through input_fn, predict_fn and output_fn."""
        content_type = request.content_type or "application/octet-stream"
        accept = request.accept if request.accept not in ("", "*/*") else self._default_accept
        context = Context(self._system_properties, request.headers)
        body = _as_handlers_get_it(request.body, content_type)
        result = self._transform(self._model, body, content_type, accept, context)
        payload, kind = _payload(result, accept)
        others = {name: value for name, value in context.response_headers.items() if name != "content-type"}
        return Response(payload, context.get_response_content_type() or kind, context.status, others)

    @staticmethod
    def _three(functions: dict[str, Callable[..., Any]]) -> Step:
        input_fn, predict_fn, output_fn = (_step(functions, name) for name in _THREE)

        def transform(model: Any, body: Any, content_type: str, accept: str, context: Context) -> Any:  # noqa: ANN401
            data = input_fn(body, content_type, context)
            return output_fn(predict_fn(data, model, context), accept, context)

        return transform


def load_handlers(model_dir: Path, environment: Mapping[str, str] | None = None) -> Handlers:
    """The handlers of the model in `model_dir`, its user's module imported and its model not loaded yet.

    JobFailure where the module breaks the contract; whatever the module itself raises.
    """
    environment = os.environ if environment is None else environment
    path = find_program(model_dir, environment)
    default_accept = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or codecs.JSON
    return Handlers(load_program(path) if path else None, model_dir, default_accept)


def _functions(module: ModuleType | None) -> dict[str, Callable[..., Any]]:
    functions = {name: getattr(module, name) for name in CONTRACT if callable(getattr(module, name, None))}
    extra = [name for name in _THREE if name in functions]
    if "transform_fn" in functions and extra:
        raise JobFailure(
            f"the module has transform_fn and {', '.join(extra)}; keep transform_fn alone, or the other functions alone"
        )
    return functions


def _step(functions: Mapping[str, Callable[..., Any]], name: str) -> Step:
    function = functions.get(name) or getattr(defaults, name)
    arguments = CONTRACT[name]
    if inspect.iscoroutinefunction(function):
        raise JobFailure(f"{name} is async; write it as a plain function: def {name}({', '.join(arguments)})")
    takes = _takes_context(function, name)
    return function if takes else lambda *given: function(*given[:-1])


def _takes_context(function: Callable[..., Any], name: str) -> bool:
    """Whether the function wants the context: by the name of its last argument, or by needing one more."""
    arguments = CONTRACT[name]
    try:
        signature = inspect.signature(function)
    except ValueError:  # a builtin without a signature: it cannot have been written with a context in mind
        return False
    extra = list(signature.parameters.values())[len(arguments) :]
    if extra and (extra[0].name == "context" or extra[0].default is extra[0].empty) and _binds(signature, 1, arguments):
        return extra[0].kind in (extra[0].POSITIONAL_ONLY, extra[0].POSITIONAL_OR_KEYWORD)
    if not _binds(signature, 0, arguments):
        raise JobFailure(
            f"{name}{signature} does not fit; write def {name}({', '.join(arguments)})"
            f" or def {name}({', '.join(arguments)}, context)"
        )
    return False


def _binds(signature: inspect.Signature, more: int, arguments: tuple[str, ...]) -> bool:
    try:
        signature.bind(*(None,) * (len(arguments) + more))
    except TypeError:
        return False
    return True


def _as_handlers_get_it(body: bytearray, content_type: str) -> str | bytearray:
    return codecs.text(body, content_type) if codecs.media_type(content_type) in codecs.TEXT_TYPES else body


def _payload(result: Any, accept: str) -> tuple[bytes, str]:  # noqa: ANN401
    """What a transform or output_fn returned, as bytes with a type: (body, type), bytes, text; else it is encoded."""
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str):
        result, accept = result
    first = codecs.media_type(accept.partition(",")[0])
    if isinstance(result, str):
        return result.encode(), first
    if isinstance(result, (bytes, bytearray, memoryview)):
        return bytes(result), first
    return codecs.encode(result, accept)
