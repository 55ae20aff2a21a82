"""InvokeEndpoint."""

import asyncio
from dataclasses import replace

import pytest

from sagehound.api.runtime import invoke_endpoint
from sagehound.errors import ModelError, NotFound, Unsupported
from sagehound.records.invocation import Reply
from sagehound.wire.errors import AwsError

REQUEST = {"EndpointName": "dogs", "Body": b"x"}


class Worker:
    """Answers with one reply, and keeps what it was sent."""

    def __init__(self, reply):
        self.reply = reply
        self.sent = []

    async def invoke(self, invocation):
        self.sent.append(invocation)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


class Asleep:
    """Never answers."""

    async def invoke(self, invocation):
        await asyncio.Event().wait()


def reply(status=200, body=b"[1]"):
    return Reply(status=status, body=body, content_type="application/json", variant="blue")


def invoke(context, worker, **request):
    return asyncio.run(invoke_endpoint({**REQUEST, **request}, replace(context, invoker=worker, invoke_timeout_s=0.05)))


def test_the_worker_gets_what_the_caller_sent(context):
    worker = Worker(reply())
    answer = invoke(
        context,
        worker,
        ContentType="image/jpeg",
        Accept="text/csv",
        TargetVariant="blue",
        CustomAttributes="a=b",
        InferenceId="7",
    )
    assert answer == {
        "Body": b"[1]",
        "ContentType": "application/json",
        "InvokedProductionVariant": "blue",
        "CustomAttributes": None,
    }
    (sent,) = worker.sent
    assert (sent.endpoint, sent.body, sent.content_type, sent.accept, sent.variant) == (
        "dogs",
        b"x",
        "image/jpeg",
        "text/csv",
        "blue",
    )
    assert sent.headers == {"X-Amzn-SageMaker-Custom-Attributes": "a=b", "X-Amzn-SageMaker-Inference-Id": "7"}


def test_the_caller_gets_the_attributes_that_the_container_sets(context):
    worker = Worker(replace(reply(), headers={"x-amzn-sagemaker-custom-attributes": "trace=1"}))
    assert invoke(context, worker)["CustomAttributes"] == "trace=1"


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (415, "client"), (500, "server"), (503, "server")])
def test_a_failed_call_is_a_model_error_with_the_user_s_exception(context, status, side):
    with pytest.raises(AwsError) as caught:
        invoke(context, Worker(reply(status, b"ValueError: no dog \xff")))
    error = caught.value
    assert (error.code, error.status) == ("ModelError", 424)
    assert error.message.startswith(f'Received {side} error ({status}) from primary with message "ValueError: no dog')
    assert error.fields["OriginalStatusCode"] == status
    assert error.fields["OriginalMessage"].startswith("ValueError: no dog")
    group = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/dogs"
    assert error.fields["LogStreamArn"] == group


def test_a_worker_that_died_is_a_model_error(context):
    with pytest.raises(AwsError, match=r"server error \(500\).*killed by signal 9"):
        invoke(context, Worker(ModelError("killed by signal 9")))


def test_a_worker_that_never_answers_is_one_too(context):
    with pytest.raises(AwsError, match=r"server error \(0\).*timed out.*0.05 s"):
        invoke(context, Asleep())


def test_an_endpoint_that_there_is_not(context):
    with pytest.raises(NotFound, match="Endpoint dogs"):
        invoke(context, Worker(NotFound("Endpoint dogs of account 000000000000 not found.")))


def test_what_is_not_offered_is_refused_by_name(context):
    with pytest.raises(Unsupported, match="InferenceComponentName"):
        invoke(context, Worker(reply()), InferenceComponentName="c")
