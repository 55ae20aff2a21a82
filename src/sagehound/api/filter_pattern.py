"""CloudWatch Logs' filter patterns: plain terms."""

from __future__ import annotations

import re
from collections.abc import Callable

from sagehound.errors import Unsupported

_TERM = re.compile(r'([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))')


def filter_pattern(text: str) -> Callable[[str], bool]:
    """A test of a log line, case-sensitive: every term is in it, no `-term` is, and some `?term` where there are any;
    quotes make one term of several words.

    >>> wanted = filter_pattern('ERROR -retry "out of memory"')
    >>> wanted("ERROR: out of memory"), wanted("ERROR: out of memory, retry")
    (True, False)

    Unsupported for the patterns in {}, [] and %%, which CloudWatch reads as JSON, columns and regular expressions.
    """
    if text.strip()[:1] in ("{", "[", "%"):
        raise Unsupported(f"filterPattern {text!r}: only plain terms are supported by Sagehound, e.g. ERROR -retry")
    terms: dict[str, list[str]] = {"": [], "-": [], "?": []}
    for sign, quoted, plain in _TERM.findall(text):
        terms[sign].append(re.sub(r"\\(.)", r"\1", quoted) if quoted else plain)

    def wanted(line: str) -> bool:
        needed = all(term in line for term in terms[""]) and not any(term in line for term in terms["-"])
        return needed and (not terms["?"] or any(term in line for term in terms["?"]))

    return wanted
