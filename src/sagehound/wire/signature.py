"""Verify Signature Version 4: in the Authorization header, or in a presigned address."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from functools import lru_cache

from sagehound.errors import SagehoundError
from sagehound.keys import Keys
from sagehound.wire.canonical import canonical_request, payload_hash
from sagehound.wire.incoming import Incoming
from sagehound.wire.services import Service

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW_S = 15 * 60
_LONGEST_PRESIGNED_S = 7 * 24 * 3600
_BASIC = re.compile(r"\d{8}T\d{6}Z")
_LIFETIME = re.compile(r"[0-9]{1,6}")
_STAMP = "%Y%m%dT%H%M%SZ"
_HINT = 'Sagehound\'s own keys are in its home; set them with: eval "$(sagehound env)"'


class Denial(Enum):
    """Why a request is not let in; each protocol has a code of its own for it."""

    MISSING = auto()
    INCOMPLETE = auto()
    UNKNOWN_KEY = auto()
    MISMATCH = auto()
    EXPIRED = auto()


class Denied(SagehoundError):
    """The request's signature does not let it in."""

    def __init__(self, denial: Denial, message: str) -> None:
        super().__init__(message)
        self.denial = denial


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says of its own signature."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: list[str]
    signature: str
    stamp: str
    lifetime_s: int | None = None


@dataclass(frozen=True, slots=True)
class Verifier:
    """Lets in requests signed with `keys` for `region`, within 15 minutes of `clock` (seconds since the epoch)."""

    keys: Keys
    region: str
    clock: Callable[[], float]

    def verify(self, incoming: Incoming, service: Service | None) -> None:
        """Denied unless `incoming` is signed for `service` (None: for any)."""
        claim = _claim(incoming)
        if not hmac.compare_digest(claim.access_key.encode(), self.keys.access_key.encode()):
            raise Denied(Denial.UNKNOWN_KEY, f"The security token included in the request is invalid. {_HINT}")
        self._check_scope(claim, service)
        _check_signed(claim, incoming)
        self._check_time(claim)
        given_hash = incoming.headers.get("x-amz-content-sha256")
        body_hash = payload_hash(incoming)
        expected = _signature(self.keys.secret_key, claim, canonical_request(incoming, claim.signed_headers, body_hash))
        matches = hmac.compare_digest(expected, claim.signature.encode())
        if not matches or given_hash not in (None, body_hash):
            raise Denied(
                Denial.MISMATCH,
                "The request signature we calculated does not match the signature you provided. Check your AWS "
                f"Secret Access Key and signing method. {_HINT}",
            )

    def _check_scope(self, claim: _Claim, service: Service | None) -> None:
        if service and claim.service != service.signing_name:
            raise Denied(Denial.MISMATCH, f"Credential should be scoped to correct service: '{service.signing_name}'.")
        if claim.region != self.region and not (service and service.everywhere):
            raise Denied(
                Denial.MISMATCH,
                f"Credential should be scoped to a valid region, not '{claim.region}': this service stands for "
                f"'{self.region}'. Set AWS_DEFAULT_REGION={self.region}, or start the service with: "
                f"sagehound up --region {claim.region}",
            )

    def _check_time(self, claim: _Claim) -> None:
        signed_at = _instant(claim.stamp)
        if not claim.stamp.startswith(claim.date):
            raise Denied(Denial.MISMATCH, f"Date in Credential scope {claim.date} does not match {claim.stamp}.")
        now, lifetime_s = self.clock(), SKEW_S if claim.lifetime_s is None else claim.lifetime_s
        if now > signed_at + lifetime_s:
            raise Denied(
                Denial.EXPIRED, f"Signature expired: {claim.stamp} is now earlier than {_told(now - lifetime_s)}"
            )
        if now < signed_at - SKEW_S:
            raise Denied(
                Denial.EXPIRED, f"Signature not yet current: {claim.stamp} is still later than {_told(now + SKEW_S)}"
            )


def _claim(incoming: Incoming) -> _Claim:
    authorization = incoming.headers.get("authorization")
    if authorization is not None:
        return _header_claim(authorization, incoming)
    if "X-Amz-Signature" in incoming.query:
        return _presigned_claim(incoming.parameters)
    raise Denied(Denial.MISSING, f"Missing Authentication Token. Sign the request; {_HINT}")


def _header_claim(authorization: str, incoming: Incoming) -> _Claim:
    algorithm, _, rest = authorization.partition(" ")
    pairs = (part.strip().partition("=")[::2] for part in rest.split(","))
    parts = dict(pairs) if algorithm == ALGORITHM else {}
    stamp = incoming.headers.get("x-amz-date") or _http_stamp(incoming.headers.get("date", ""))
    return _parsed(parts, stamp, None)


def _presigned_claim(query: dict[str, str]) -> _Claim:
    parts = {name.removeprefix("X-Amz-"): value for name, value in query.items()}
    lifetime = parts.get("Expires", "")
    right = _LIFETIME.fullmatch(lifetime) and int(lifetime) <= _LONGEST_PRESIGNED_S
    if not right or parts.get("Algorithm") != ALGORITHM:
        raise Denied(
            Denial.INCOMPLETE, f"X-Amz-Expires must be 0 to {_LONGEST_PRESIGNED_S} s, X-Amz-Algorithm {ALGORITHM}"
        )
    return _parsed(parts, parts.get("Date", ""), int(lifetime))


def _parsed(parts: dict[str, str], stamp: str, lifetime_s: int | None) -> _Claim:
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if not parts.get(name)]
    if missing or not stamp:
        lacks = ", ".join(missing) or "a date"
        raise Denied(Denial.INCOMPLETE, f"Authorization requires {lacks}; sign with {ALGORITHM}. {_HINT}")
    scope = parts["Credential"].split("/")
    if len(scope) != 5 or scope[4] != "aws4_request":
        raise Denied(
            Denial.INCOMPLETE, f"Credential must have exactly 5 slash-delimited parts, not {parts['Credential']!r}"
        )
    access_key, date, region, service, _ = scope
    signed = parts["SignedHeaders"].split(";")
    return _Claim(access_key, date, region, service, signed, parts["Signature"], stamp, lifetime_s)


def _check_signed(claim: _Claim, incoming: Incoming) -> None:
    """Every header that says what is asked must be under the signature."""
    signed = set(claim.signed_headers)
    for name in incoming.headers:
        if (name == "host" or name.startswith("x-amz-")) and name not in signed:
            raise Denied(Denial.MISMATCH, f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")
    needed = {"host"} if "x-amz-date" in signed or claim.lifetime_s is not None else {"host", "date"}
    for name in needed - signed:
        raise Denied(Denial.MISMATCH, f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")


def _signature(secret: str, claim: _Claim, canonical: str) -> bytes:
    scope = f"{claim.date}/{claim.region}/{claim.service}/aws4_request"
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    key = _signing_key(secret, claim.date, claim.region, claim.service)
    return hmac.digest(key, f"{ALGORITHM}\n{claim.stamp}\n{scope}\n{digest}".encode(), "sha256").hex().encode()


@lru_cache(maxsize=32)
def _signing_key(secret: str, *scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (*scope, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _instant(stamp: str) -> float:
    try:
        # strptime would take any width of a field; it is also ten times slower.
        return datetime.fromisoformat(stamp if _BASIC.fullmatch(stamp) else "").timestamp()
    except ValueError:
        raise Denied(
            Denial.INCOMPLETE, f"Date must be in ISO-8601 'basic format', like 20261122T163026Z, not {stamp!r}"
        ) from None


def _http_stamp(date: str) -> str:
    try:
        return parsedate_to_datetime(date).astimezone(UTC).strftime(_STAMP)
    except (ValueError, OverflowError, TypeError):
        return date


def _told(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime(_STAMP)
