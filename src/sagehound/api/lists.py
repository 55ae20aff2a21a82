"""What every List operation does: filters, sort orders and page tokens."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sagehound.api.context import Context
from sagehound.errors import InvalidInput
from sagehound.store.store import Query, R

Column = Literal["name", "created_at", "modified_at", "state"]

#: What AWS gives where the request has no MaxResults.
DEFAULT_RESULTS = 10

_COLUMNS: dict[str, Column] = {"Name": "name", "CreationTime": "created_at", "Status": "state"}


@dataclass(frozen=True, slots=True)
class Listing:
    """How one List operation answers: the member that has the summaries, and the documented defaults of its order."""

    member: str
    sort: str = "CreationTime"
    order: str = "Ascending"

    def respond(
        self,
        request: Mapping[str, Any],
        context: Context,
        kind: type[R],
        summary: Callable[[R], dict[str, Any]],
        group: str | None = None,
    ) -> dict[str, Any]:
        """The page that `request` asks for, of the records of `kind` (in `group`, where one is given)."""
        page = context.store.list(kind, self.query(request, group))
        return {self.member: [summary(record) for record in page.records], "NextToken": token(page.next) or None}

    def query(self, request: Mapping[str, Any], group: str | None = None) -> Query:
        """The store's query for `request`."""
        status = request.get("StatusEquals")
        return Query(
            states=(status,) if status else (),
            group=group,
            name_contains=request.get("NameContains", ""),
            created_after=request.get("CreationTimeAfter"),
            created_before=request.get("CreationTimeBefore"),
            modified_after=request.get("LastModifiedTimeAfter"),
            modified_before=request.get("LastModifiedTimeBefore"),
            sort=_COLUMNS[request.get("SortBy", self.sort)],
            descending=request.get("SortOrder", self.order) == "Descending",
            limit=request.get("MaxResults", DEFAULT_RESULTS),
            cursor=cursor(request.get("NextToken", "")),
        )


def token(text: str) -> str:
    """`text` as a client may carry it about."""
    return base64.urlsafe_b64encode(text.encode()).decode()


def cursor(given: str) -> str:
    """The text of a `token`; InvalidInput where it is none."""
    try:
        return base64.b64decode(given, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise InvalidInput(
            f"NextToken {given[:40]!r} is not a page's token; pass the one that the last page gave"
        ) from None
