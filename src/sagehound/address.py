"""Where the running service of a home answers."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from sagehound.errors import ServiceUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The service's and the object store's URLs, who the service says it is, and its process."""

    endpoint: str
    s3_endpoint: str
    account: str
    region: str
    pid: int

    def save(self, home: Path) -> None:
        """Write `home/service.json` whole or not at all."""
        draft = home / f"service.json.{os.getpid()}"
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(home / "service.json")


def load_address(home: Path) -> Address:
    """The address that the service of `home` wrote; ServiceUnavailable where none runs."""
    try:
        address = Address(**json.loads((home / "service.json").read_text()))
    except FileNotFoundError:
        raise _absent(home) from None
    except (ValueError, TypeError, OSError) as problem:
        raise ServiceUnavailable(
            f"{home / 'service.json'}, which says where the service answers, cannot be read ({problem}); start the "
            f"service again, which writes it anew: sagehound up --detach (one that runs already is the process that "
            f"holds {home / 'lock'}: end it first)"
        ) from None
    try:
        os.kill(address.pid, 0)
    except ProcessLookupError:
        raise _absent(home) from None
    except PermissionError:  # another user's process, and it lives
        return address
    return address


def _absent(home: Path) -> ServiceUnavailable:
    return ServiceUnavailable(f"no service runs in {home}; start one with: sagehound up --detach")
