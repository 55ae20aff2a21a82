"""What a user's function gets as `context`: the request's headers, and where the model is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Context:
    """The context of one request, with the names that the AWS containers use. `index` is there for their sake: a
    request is never batched with another here, so every index means this request.

    >>> context = Context({"model_dir": "/opt/ml/model"}, {"Content-Type": "text/csv"})
    >>> context.get_request_header(0, "content-type")
    'text/csv'
    """

    system_properties: dict[str, Any]
    request_headers: Mapping[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    status: int = 200

    def get_request_header(self, index: int, name: str) -> str | None:
        """The request's header of that name, in any case; None where it was not sent."""
        return self.get_all_request_header(index).get(name.lower())

    def get_all_request_header(self, index: int = 0) -> dict[str, str]:
        """Every header of the request by its name in lower case."""
        return {name.lower(): value for name, value in self.request_headers.items()}

    def set_response_header(self, index: int, name: str, value: str) -> None:
        self.response_headers[name.lower()] = value

    def set_response_content_type(self, index: int, value: str) -> None:
        self.set_response_header(index, "content-type", value)

    def get_response_content_type(self, index: int = 0) -> str | None:
        return self.response_headers.get("content-type")

    def set_response_status(self, code: int = 200, phrase: str = "", index: int = 0) -> None:
        """Answer with HTTP status `code`; from 400 on the caller gets a ModelError."""
        self.status = code

    def get_response_status(self, index: int = 0) -> int:
        return self.status
