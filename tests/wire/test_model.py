"""Service models, cut down."""

import botocore.session
import pytest

from sagehound.api.operations import OPERATIONS
from sagehound.errors import NotFound
from sagehound.wire.model import load_model
from sagehound.wire.services import NAMED, SERVICES, Catalogue


def test_only_what_the_offered_operations_reach_is_kept():
    model = load_model("sagemaker", ["AddTags"])
    assert list(model.operations) == ["AddTags"]
    assert set(model.shapes) >= {"AddTagsInput", "TagList", "Tag", "TagKey", "TagValue", "AddTagsOutput"}
    assert len(model.shapes) < 12
    assert "CreateAutoMLJob" in model.known


def test_a_shape_says_what_botocore_says():
    ours = load_model("sagemaker", ["CreateTrainingJob"])
    theirs = botocore.session.Session().get_service_model("sagemaker")
    for name, shape in ours.shapes.items():
        other = theirs.shape_for(name)
        assert shape.type == other.type_name
        assert list(shape.members) == list(getattr(other, "members", {}))
        assert list(shape.required) == list(other.metadata.get("required", []))
        assert list(shape.enum) == list(other.metadata.get("enum", []))


def test_a_service_that_botocore_does_not_have_is_not_found():
    with pytest.raises(NotFound, match="no model of 'sagefoot'"):
        load_model("sagefoot")


def test_the_table_offers_only_operations_of_known_services():
    catalogue = Catalogue(OPERATIONS)
    assert {service for service, _ in OPERATIONS} <= set(NAMED)
    for service in SERVICES:
        model = catalogue.model(service)
        mine = {operation for name, operation in OPERATIONS if name == service.name}
        assert mine <= set(model.operations), f"no operation of {service.name}: {mine - set(model.operations)}"


def test_a_path_gives_its_names():
    model = load_model("sagemaker-runtime")
    found = model.uri("InvokeEndpoint").fullmatch("/endpoints/dogs-1/invocations")
    assert found and found["EndpointName"] == "dogs-1"
    assert not model.uri("InvokeEndpoint").fullmatch("/endpoints/a/b/invocations")
