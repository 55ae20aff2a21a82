"""The canonical form of a request that Signature Version 4 signs.

Source: "Create a signed AWS API request" in the IAM User Guide, section "Elements of an AWS API request signature".
"""

from __future__ import annotations

import hashlib
from urllib.parse import quote, unquote_plus

from sagehound.wire.incoming import Incoming

UNSIGNED = "UNSIGNED-PAYLOAD"


def canonical_request(incoming: Incoming, signed_headers: list[str], payload_hash: str) -> str:
    """The text whose hash goes into the string to sign."""
    headers = "".join(f"{name}:{_folded(incoming.headers.get(name, ''))}\n" for name in signed_headers)
    parts = (
        incoming.method,
        quote(incoming.path or "/", safe="/~"),
        _query(incoming.query),
        headers,
        ";".join(signed_headers),
        payload_hash,
    )
    return "\n".join(parts)


def payload_hash(incoming: Incoming) -> str:
    """The body's SHA-256 in hex, or UNSIGNED-PAYLOAD where the caller says so."""
    if incoming.headers.get("x-amz-content-sha256") == UNSIGNED:
        return UNSIGNED
    return hashlib.sha256(incoming.body).hexdigest()


def _query(raw: str) -> str:
    if not raw:
        return ""
    pairs = (pair.partition("=")[::2] for pair in raw.split("&"))
    quoted = sorted((_quoted(name), _quoted(value)) for name, value in pairs if name != "X-Amz-Signature")
    return "&".join(f"{name}={value}" for name, value in quoted)


def _quoted(text: str) -> str:
    return quote(unquote_plus(text), safe="-_.~")


def _folded(value: str) -> str:
    return " ".join(value.split())
