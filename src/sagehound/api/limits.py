"""How much one request may ask of this machine."""

from __future__ import annotations

from sagehound.wire.errors import AwsError

#: Hosts of a job, or workers of an endpoint: each is a process here, and more would only take the machine down.
MAX_INSTANCES = 64


def check_instances(count: int, instance_type: str, usage: str) -> None:
    """AWS's ResourceLimitExceeded where more than MAX_INSTANCES are asked for; `usage` is e.g. "training job"."""
    if count > MAX_INSTANCES:
        raise AwsError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{instance_type} for {usage} usage' is {MAX_INSTANCES} Instances, with a "
            f"request delta of {count} Instances. Each of them is a process on this machine; ask for fewer.",
        )
