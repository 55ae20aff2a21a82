"""Names: ARNs, S3 addresses, and the names that Sagehound itself makes up."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from sagehound.errors import InvalidInput

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_TRIAL = re.compile(r".+-(\d{3,})-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Arn:
    """An Amazon Resource Name.

    >>> str(Arn("sagemaker", "us-east-1", "000000000000", "training-job", "dogs"))
    'arn:aws:sagemaker:us-east-1:000000000000:training-job/dogs'
    """

    service: str
    region: str
    account: str
    resource: str
    name: str

    def __str__(self) -> str:
        return f"arn:aws:{self.service}:{self.region}:{self.account}:{self.resource}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Read `arn:aws:service:region:account:resource/name`; InvalidInput for anything else."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or "/" not in parts[5]:
            raise InvalidInput(f"{text!r} is not an ARN (arn:aws:service:region:account:resource/name)")
        resource, name = parts[5].split("/", 1)
        return cls(parts[2], parts[3], parts[4], resource, name)


@dataclass(frozen=True, slots=True)
class S3Uri:
    """An S3 address; `key` may be empty (the bucket) or a prefix.

    >>> S3Uri.parse("s3://photos/dogs/") / "train"
    S3Uri(bucket='photos', key='dogs/train')
    """

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def __truediv__(self, name: str) -> S3Uri:
        return S3Uri(self.bucket, f"{self.key.rstrip('/')}/{name}".lstrip("/"))

    @classmethod
    def parse(cls, text: str) -> S3Uri:
        """Read `s3://bucket[/key]`; InvalidInput for anything else."""
        bucket, _, key = text.removeprefix("s3://").partition("/")
        if not text.startswith("s3://") or not _BUCKET.fullmatch(bucket):
            raise InvalidInput(f"{text!r} is not an S3 address; write s3://bucket/prefix")
        return cls(bucket, key)


def trial_name(tuning_job: str, number: int) -> str:
    """The name of the number-th (from 1) training job of a tuning job, as SageMaker writes it: at most 63
    characters, `<tuning job>-001-<8 hex>`. The same name every time, so that a trial is never created twice.

    >>> trial_name("dogs", 7)
    'dogs-007-c062851b'
    """
    digest = hashlib.sha256(f"{tuning_job}/{number}".encode()).hexdigest()
    return f"{tuning_job[:50]}-{number:03d}-{digest[:8]}"


def trial_number(name: str) -> int:
    """The number that `trial_name` put into a name; InvalidInput for any other name.

    >>> trial_number(trial_name("dogs", 7))
    7
    """
    match = _TRIAL.fullmatch(name)
    if match is None:
        raise InvalidInput(f"{name!r} is not the name of a tuning job's trial (<tuning job>-<number>-<8 hex digits>)")
    return int(match[1])


def evaluation_name(training_job: str, rule: str) -> str:
    """The name of the evaluation of a job's rule, as SageMaker names that processing job: at most 63 characters.

    >>> evaluation_name("dogs", "VanishingGradient")
    'dogs-VanishingGradient-8788dee5'
    """
    digest = hashlib.sha256(f"{training_job}/{rule}".encode()).hexdigest()
    plain = re.sub(r"[^a-zA-Z0-9]+", "-", rule).strip("-")[:26].strip("-")
    return "-".join(part for part in (training_job[:26].strip("-"), plain, digest[:8]) if part)
