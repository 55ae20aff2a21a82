"""The AWS services that are spoken here, and how a request tells which one it is for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from threading import Lock

from sagehound.wire.model import ServiceModel, load_model


@dataclass(frozen=True, slots=True)
class Service:
    """`name` is botocore's; a signature's scope has `signing_name`; JSON requests have `target` in X-Amz-Target,
    forms have `version` and are answered in `namespace`. One that is `everywhere` is signed for a region of its own."""

    name: str
    signing_name: str
    target: str = ""
    version: str = ""
    namespace: str = ""
    everywhere: bool = False


SERVICES = (
    Service("sagemaker", "sagemaker", target="SageMaker"),
    Service("sagemaker-runtime", "sagemaker"),
    Service("logs", "logs", target="Logs_20140328"),
    Service(
        "cloudwatch",
        "monitoring",
        target="GraniteServiceVersion20100801",
        version="2010-08-01",
        namespace="http://monitoring.amazonaws.com/doc/2010-08-01/",
    ),
    Service(
        "sts",
        "sts",
        version="2011-06-15",
        namespace="https://sts.amazonaws.com/doc/2011-06-15/",
        everywhere=True,
    ),
    Service(
        "iam",
        "iam",
        version="2010-05-08",
        namespace="https://iam.amazonaws.com/doc/2010-05-08/",
        everywhere=True,
    ),
)
NAMED = {service.name: service for service in SERVICES}
BY_TARGET = {service.target: service for service in SERVICES if service.target}
BY_VERSION = {service.version: service for service in SERVICES if service.version}
RUNTIME = NAMED["sagemaker-runtime"]


class Catalogue:
    """The models of the services, each read when it is first needed, with the `offered` operations only."""

    def __init__(self, offered: Collection[tuple[str, str]]) -> None:
        self._offered = frozenset(offered)
        self._models: dict[str, ServiceModel] = {}
        self._lock = Lock()

    def model(self, service: Service) -> ServiceModel:
        with self._lock:
            if service.name not in self._models:
                wanted = {operation for name, operation in self._offered if name == service.name}
                # The runtime's operations are told by their paths, those that are not offered too: it is small.
                self._models[service.name] = load_model(service.name, None if service is RUNTIME else wanted)
            return self._models[service.name]

    def offers(self, service: Service, operation: str) -> bool:
        return (service.name, operation) in self._offered
