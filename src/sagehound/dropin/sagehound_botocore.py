"""A botocore client plugin: no client of this environment leaves for AWS.

`AWS_ENDPOINT_URL` redirects every client but those made with an explicit endpoint, as the SageMaker SDK makes its
STS client. botocore loads this module through `BOTOCORE_EXPERIMENTAL__PLUGINS`, in whatever Python the user's program
runs with, so it needs nothing but the standard library, not even sagehound.
"""

from __future__ import annotations

import logging
import os
from typing import Any
from urllib.parse import urlsplit

AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonaws.eu")
ENDPOINT = "SDK::Endpoint"

#: What these say at INFO, which the SageMaker SDK turns on for all, is noise here, or untrue: the SDK says that it will
#: collect telemetry just before it reads that it may not.
MISLEADING_LOGGERS = ("botocore.configprovider", "sagemaker.telemetry.telemetry_logging")


def initialize_client_plugin(client: Any) -> None:  # noqa: ANN401
    """Send the client's requests to the endpoint that the environment names now, also after the environment changes:
    a client keeps the endpoint it was made for, as any other client does."""
    is_s3 = client.meta.service_model.endpoint_prefix == "s3"
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3", endpoint) if is_s3 else endpoint
    if not endpoint:
        return
    for name in MISLEADING_LOGGERS:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)

    def redirect(builtins: dict[str, Any], **_: Any) -> None:  # noqa: ANN401
        builtins.update(redirected(builtins, endpoint))

    client.meta.events.register("before-endpoint-resolution", redirect, unique_id="sagehound")


def redirected(builtins: dict[str, Any], endpoint: str) -> dict[str, Any]:
    """What changes in the inputs of botocore's endpoint rules so that an address of AWS, or none, becomes `endpoint`.

    >>> redirected({"SDK::Endpoint": "https://sts.us-east-1.amazonaws.com"}, "http://127.0.0.1:8383")
    {'SDK::Endpoint': 'http://127.0.0.1:8383'}
    >>> redirected({"SDK::Endpoint": "http://localhost:9000"}, "http://127.0.0.1:8383")
    {}
    """
    given = builtins.get(ENDPOINT)
    if given and not (urlsplit(given).hostname or "").endswith(AWS_DOMAINS):
        return {}
    # An endpoint of one's own and these two exclude each other in the rules; they name variants of AWS's hosts.
    variants = {name: False for name in ("AWS::UseFIPS", "AWS::UseDualStack") if builtins.get(name)}
    return {ENDPOINT: endpoint, **variants}
