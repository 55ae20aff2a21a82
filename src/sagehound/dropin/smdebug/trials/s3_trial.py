"""A trial in S3."""

from sagehound.debug.create_trial import create_trial
from sagehound.debug.trial import Trial


def S3Trial(name: str, bucket_name: str, prefix_name: str, **options: object) -> Trial:  # noqa: N802 (the original's)
    """As `create_trial(f"s3://{bucket_name}/{prefix_name}")`."""
    return create_trial(f"s3://{bucket_name}/{prefix_name}", name=name, **options)  # type: ignore[arg-type]
