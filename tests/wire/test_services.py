"""The catalogue of services."""

from sagehound.wire.services import BY_TARGET, BY_VERSION, NAMED, RUNTIME, SERVICES, Catalogue
from tests.wire.samples import botocore_model


def test_services_are_named_as_botocore_has_them():
    for service in SERVICES:
        metadata = botocore_model(service.name).metadata
        assert service.signing_name == metadata.get("signingName", metadata["endpointPrefix"])
        if service.target:
            assert service.target == metadata["targetPrefix"]
        if service.version:
            assert (service.version, service.namespace) == (metadata["apiVersion"], metadata["xmlNamespace"])


def test_a_request_tells_its_service():
    assert BY_TARGET["Logs_20140328"] is NAMED["logs"]
    assert BY_VERSION["2011-06-15"] is NAMED["sts"]


def test_a_model_is_read_once_and_knows_what_is_offered():
    catalogue = Catalogue([("sts", "GetCallerIdentity")])
    model = catalogue.model(NAMED["sts"])
    assert catalogue.model(NAMED["sts"]) is model
    assert list(model.operations) == ["GetCallerIdentity"]
    assert catalogue.offers(NAMED["sts"], "GetCallerIdentity")
    assert not catalogue.offers(NAMED["sts"], "AssumeRole")


def test_the_runtime_is_told_by_paths_and_so_is_read_whole():
    assert len(Catalogue([]).model(RUNTIME).operations) == 3
