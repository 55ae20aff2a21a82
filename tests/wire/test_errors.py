"""Which error of AWS an error of ours becomes."""

import pytest

from sagehound import errors
from sagehound.wire.errors import AwsError, Malformed, aws_error
from sagehound.wire.model import load_model

SAGEMAKER = load_model("sagemaker", ["CreateTrainingJob", "DescribeEndpoint", "DescribeHyperParameterTuningJob"])


def told(error, service="sagemaker", operation=""):
    aws = aws_error(error, service, SAGEMAKER.operations.get(operation))
    return aws.code, aws.status


@pytest.mark.parametrize(
    ("error", "operation", "wanted"),
    [
        (errors.InvalidInput("x"), "CreateTrainingJob", ("ValidationException", 400)),
        (errors.Unsupported("x"), "CreateTrainingJob", ("ValidationException", 400)),
        (errors.IllegalTransition("x"), "CreateTrainingJob", ("ValidationException", 400)),
        (errors.AlreadyExists("x"), "CreateTrainingJob", ("ResourceInUse", 400)),
        (errors.AlreadyExists("x"), "DescribeEndpoint", ("ValidationException", 400)),
        (errors.NotFound("x"), "DescribeHyperParameterTuningJob", ("ResourceNotFound", 400)),
        (errors.NotFound("x"), "DescribeEndpoint", ("ValidationException", 400)),
        (Malformed("x"), "CreateTrainingJob", ("SerializationException", 400)),
        (errors.ServiceUnavailable("x"), "CreateTrainingJob", ("ServiceUnavailable", 503)),
        (errors.ObjectStoreError("x"), "CreateTrainingJob", ("InternalFailure", 500)),
    ],
)
def test_sagemaker_throws_what_the_operation_declares(error, operation, wanted):
    assert told(error, operation=operation) == wanted


@pytest.mark.parametrize(
    ("error", "service", "wanted"),
    [
        (errors.NotFound("x"), "logs", ("ResourceNotFoundException", 400)),
        (errors.InvalidInput("x"), "logs", ("InvalidParameterException", 400)),
        (errors.InvalidInput("x"), "cloudwatch", ("InvalidParameterValue", 400)),
        (errors.NotFound("x"), "iam", ("NoSuchEntity", 404)),
        (errors.InvalidInput("x"), "sts", ("ValidationError", 400)),
        (errors.NotFound("x"), "sagemaker-runtime", ("ValidationError", 400)),
        (errors.ModelError("x"), "sagemaker-runtime", ("ModelError", 424)),
        (errors.ServiceUnavailable("x"), "sagemaker-runtime", ("ServiceUnavailable", 503)),
    ],
)
def test_the_others_have_their_own(error, service, wanted):
    assert told(error, service) == wanted


def test_what_nobody_foresaw_is_an_internal_failure_that_names_it():
    aws = aws_error(ZeroDivisionError("boom"), "sagemaker", None)
    assert (aws.code, aws.status) == ("InternalFailure", 500)
    assert "ZeroDivisionError('boom')" in aws.message and "log" in aws.message


def test_what_is_in_the_words_of_aws_already_stays():
    error = AwsError("UnknownOperationException", "no", 404)
    assert aws_error(error, "sagemaker", None) is error


def test_the_store_is_put_in_the_words_that_sdks_look_for():
    aws = aws_error(errors.NotFound("there is no model dogs"), "sagemaker", None)
    assert aws.message == "Could not find model dogs"
