"""Pictures that a user names: files and addresses."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from pathlib import Path

from sagehound.errors import InvalidInput, NotFound

#: The first bytes of the kinds of picture that an endpoint takes.
_KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
DOWNLOAD_TIMEOUT_S = 20.0
LIMIT_BYTES = 6 * 1024 * 1024


def read_picture(name: str) -> tuple[bytes, str]:
    """The bytes of a file or of an http(s) address, and their content type; NotFound where there is none,
    InvalidInput for what is no JPEG or PNG, or over 6 MB (the limit of InvokeEndpoint)."""
    data = _download(name) if name.startswith(("http://", "https://")) else _read(Path(name).expanduser())
    for magic, content_type in _KINDS.items():
        if data.startswith(magic):
            if len(data) > LIMIT_BYTES:
                raise InvalidInput(f"{name} has more than the 6 MB that an endpoint takes; make it smaller")
            return data, content_type
    raise InvalidInput(f"{name} is neither a JPEG nor a PNG; convert it first")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LIMIT_BYTES + 1)
    except IsADirectoryError:
        raise InvalidInput(f"{path} is a folder; name its pictures: {path}/*.jpg") from None
    except OSError as error:
        raise NotFound(
            f"cannot read {path}: {error.strerror}; give the path of a JPEG or PNG, or its address"
        ) from None


def _download(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "sagehound"})
    try:
        with urllib.request.urlopen(request, timeout=DOWNLOAD_TIMEOUT_S) as reply:
            data: bytes = reply.read(LIMIT_BYTES + 1)
            return data
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise NotFound(f"cannot fetch {url}: {reason}; download it by other means and give the file") from None
