"""Reading what a hook saved."""

from sagehound.debug.create_trial import create_trial
from sagehound.debug.trial import Trial

from .local_trial import LocalTrial
from .s3_trial import S3Trial

__all__ = ["LocalTrial", "S3Trial", "Trial", "create_trial"]
