"""InvokeEndpoint."""

from __future__ import annotations

import asyncio
from typing import Any

from sagehound.api import support
from sagehound.api.context import Context
from sagehound.errors import ModelError
from sagehound.records.invocation import Invocation, Reply
from sagehound.wire.errors import AwsError

_SHOWN = 2000
_FORWARDED = {
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
    "SessionId": "X-Amzn-SageMaker-Session-Id",
}
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary: it took longer than {:g} s. "
    "Make predict_fn faster, send less in one request, or look at the endpoint's log for what it does"
)


async def invoke_endpoint(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """Have a worker of the endpoint answer the body.

    NotFound where there is no such endpoint or variant. AWS's ModelError, with the worker's status and text, where
    the user's code failed or took longer than the context's `invoke_timeout_s`.
    """
    support.check("InvokeEndpoint", request)
    invocation = Invocation(
        endpoint=request["EndpointName"],
        body=request["Body"],
        content_type=request.get("ContentType", ""),
        accept=request.get("Accept", ""),
        variant=request.get("TargetVariant", ""),
        headers={header: request[name] for name, header in _FORWARDED.items() if name in request},
    )
    try:
        async with asyncio.timeout(context.invoke_timeout_s):
            reply = await context.invoker.invoke(invocation)
    except TimeoutError:
        raise _model_error(0, _TIMED_OUT.format(context.invoke_timeout_s), invocation, context) from None
    except ModelError as error:
        raise _model_error(500, error.message, invocation, context) from None
    if reply.status >= 400:
        raise _model_error(reply.status, _text(reply), invocation, context)
    return {
        "Body": reply.body,
        "ContentType": reply.content_type,
        "InvokedProductionVariant": reply.variant,
        "CustomAttributes": reply.headers.get(_FORWARDED["CustomAttributes"].lower()),
    }


def _text(reply: Reply) -> str:
    return reply.body.decode("utf-8", "replace")[:_SHOWN]


def _model_error(status: int, message: str, invocation: Invocation, context: Context) -> AwsError:
    side = "client" if 400 <= status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{invocation.endpoint}"
    settings = context.settings
    return AwsError(
        "ModelError",
        f'Received {side} error ({status}) from primary with message "{message}". '
        f"See the log group {group} for more information.",
        424,
        {
            "OriginalStatusCode": status,
            "OriginalMessage": message,
            "LogStreamArn": f"arn:aws:logs:{settings.region}:{settings.account}:log-group:{group}",
        },
    )
