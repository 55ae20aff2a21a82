"""What is more than a machine can give."""

import pytest

from sagehound.api.limits import MAX_INSTANCES, check_instances
from sagehound.wire.errors import AwsError
from tests.api import requests


def test_the_most_is_allowed_and_one_more_is_not():
    check_instances(MAX_INSTANCES, "ml.m5.large", "endpoint")
    with pytest.raises(AwsError, match=r"'ml\.m5\.large for endpoint usage' is 64 Instances") as caught:
        check_instances(MAX_INSTANCES + 1, "ml.m5.large", "endpoint")
    assert (caught.value.code, caught.value.status) == ("ResourceLimitExceeded", 400)


def test_operations_ask(call):
    million = {"InstanceType": "ml.m5.large", "InstanceCount": 1_000_000, "VolumeSizeInGB": 1}
    with pytest.raises(AwsError, match="training job usage"):
        call("CreateTrainingJob", **requests.training(ResourceConfig=million))
    call("CreateModel", **requests.model())
    with pytest.raises(AwsError, match="endpoint usage"):
        call("CreateEndpointConfig", **requests.config("c9", requests.variant(InitialInstanceCount=1_000_000)))
