"""The SDK's way of writing JSON: objects within strings, with a comma too many."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sagehound.errors import InvalidInput

#: A comma before a closing bracket, outside of strings: a string is matched first and kept.
_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])')


def read_object(name: str, value: object) -> dict[str, Any]:
    """An object, or the text of one, with keys in lower case. `name` is the field's, for InvalidInput.

    >>> read_object("DetailedProfilingConfig", '{"StartStep": 0, "NumSteps": 10, }')
    {'startstep': 0, 'numsteps': 10}
    """
    if isinstance(value, str):
        try:
            value = json.loads(_COMMA.sub(lambda found: found.group(1) or "", value) or "{}")
        except ValueError as error:
            raise InvalidInput(
                f'{name} is {value!r}, which is no JSON object ({error}): write {{"StartStep": 0, "NumSteps": 10}}'
            ) from error
    if not isinstance(value, Mapping):
        raise InvalidInput(f'{name} is {value!r}: an object such as {{"StartStep": 0, "NumSteps": 10}} is expected')
    return {str(key).lower(): entry for key, entry in value.items()}
