"""The access keys of a home, made at its first start."""

from __future__ import annotations

import json
import os
import secrets
import string
from dataclasses import asdict, dataclass
from pathlib import Path

from sagehound.errors import InvalidInput

_UPPER = string.ascii_uppercase + "234567"


@dataclass(frozen=True, slots=True)
class Keys:
    """An AWS-shaped key pair."""

    access_key: str
    secret_key: str


def load_keys(home: Path) -> Keys:
    """The keys of `home`, made now where there are none; their file is readable by its owner alone.

    InvalidInput where the file is damaged: it is left for its owner to remove, as programs may still use the keys.
    """
    path = home / "keys.json"
    try:
        return Keys(**json.loads(path.read_text()))
    except FileNotFoundError:
        return _keep(path, _new_keys())
    except (ValueError, TypeError) as problem:
        raise InvalidInput(
            f"{path} holds no pair of keys ({problem}); remove it, and the next start of the service makes new ones, "
            'which your programs take up with: eval "$(sagehound env)"'
        ) from None


def adopt_keys(home: Path, keys: Keys) -> Keys:
    """Make `keys` those of `home`: a client has one pair, which an object store of the user's own decides."""
    (home / "keys.json").unlink(missing_ok=True)
    return _keep(home / "keys.json", keys)


def _new_keys() -> Keys:
    return Keys("AKIA" + "".join(secrets.choice(_UPPER) for _ in range(16)), secrets.token_urlsafe(30))


def _keep(path: Path, keys: Keys) -> Keys:
    """Write the keys whole or not at all; those of another process that came first win."""
    # What is in a home, photos and environments of jobs, is no business of the machine's other users.
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(keys)))
    try:
        os.link(draft, path)
    except FileExistsError:
        return load_keys(path.parent)
    finally:
        draft.unlink()
    return keys
