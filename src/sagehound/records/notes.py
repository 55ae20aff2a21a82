"""What the user of a job should know and no field of SageMaker's says, as an answer's header carries it.

botocore drops members that its models do not have, and gives every header to the caller.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

HEADER = "x-sagehound-notes"
#: So much of them is sent: a client reads no line of a header that is longer than 64 KiB.
_LONGEST = 32_768


def to_header(notes: Iterable[str]) -> str:
    """The header's value, of as many notes as there is room for.

    >>> to_header(["no loss in 'a'"])
    '%5B%22no%20loss%20in%20%27a%27%22%5D'
    """
    kept = list(notes)
    while len(text := quote(json.dumps(kept), safe="")) > _LONGEST:
        kept.pop()
    return text


def of_response(response: Mapping[str, Any]) -> tuple[str, ...]:
    """The notes in a boto3 client's answer; none where another service gave it.

    >>> of_response({"ResponseMetadata": {"HTTPHeaders": {HEADER: to_header(["one", "two"])}}})
    ('one', 'two')
    """
    text = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(HEADER, "")
    return tuple(json.loads(unquote(text))) if text else ()
