"""The table of every operation that the service offers."""

from __future__ import annotations

from sagehound.api import iam, sts, tags
from sagehound.api.context import Operation

#: (service, operation) as botocore names them -> the function that does it, run in a worker thread.
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("sts", "GetCallerIdentity"): sts.get_caller_identity,
    ("iam", "GetRole"): iam.get_role,
    ("sagemaker", "AddTags"): tags.add,
    ("sagemaker", "ListTags"): tags.list_of,
    ("sagemaker", "DeleteTags"): tags.delete,
}
