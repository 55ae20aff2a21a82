"""Who the caller is."""

import re

from sagehound.api.sts import get_caller_identity


def test_the_sdk_makes_the_role_of_the_caller_s_arn(context):
    identity = get_caller_identity({}, context)
    assert identity["Account"] == "000000000000"
    # As sagemaker.session.Session.get_caller_identity_arn does it.
    role = re.sub(r"^(.+)sts::(\d+):assumed-role/(.+?)/.*$", r"\1iam::\2:role/\3", identity["Arn"])
    assert role == "arn:aws:iam::000000000000:role/sagehound"
