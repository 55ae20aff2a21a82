"""Fields that are refused by name, and fields without effect."""

import logging

import botocore.session
import pytest

from sagehound.api import support
from sagehound.api.operations import OPERATIONS
from sagehound.errors import Unsupported
from tests.api import requests

SERVICES = {operation: service for service, operation in OPERATIONS}


def shape_at(operation, path):
    model = botocore.session.Session().get_service_model(SERVICES[operation])
    shape = model.operation_model(operation).input_shape
    for name in path.split("."):
        shape = shape.member if shape.type_name == "list" else shape
        shape = shape.members[name]
    return shape


@pytest.mark.parametrize(
    ("operation", "path"),
    [(operation, path) for operation, refused in support.REFUSED.items() for path in refused],
)
def test_a_refused_field_is_one_of_aws(operation, path):
    field, _, value = path.partition("=")
    shape = shape_at(operation, field)
    assert not value or value in shape.enum


@pytest.mark.parametrize(
    ("operation", "path"),
    [(operation, path) for operation, paths in support.WITHOUT_EFFECT.items() for path in paths],
)
def test_a_field_without_effect_is_one_of_aws(operation, path):
    assert shape_at(operation, path)


def test_a_refusal_names_the_field_and_what_to_do():
    request = requests.training(InputDataConfig=[requests.channel(), {**requests.channel("b"), "InputMode": "Pipe"}])
    with pytest.raises(Unsupported, match=r"CreateTrainingJob: InputDataConfig.InputMode=Pipe is not supported.*FastF"):
        support.check("CreateTrainingJob", request)


def test_an_empty_or_false_field_is_not_refused():
    support.check("CreateTrainingJob", requests.training(DebugRuleConfigurations=[]))
    support.check("CreateEndpointConfig", {**requests.config(), "DataCaptureConfig": {"EnableCapture": False}})


def test_what_a_training_job_cannot_have_no_definition_of_a_tuning_job_can():
    request = requests.tuning()
    definition = requests.definition(InputDataConfig=[{**requests.channel(), "InputMode": "Pipe"}])
    for several in ({"TrainingJobDefinition": definition}, {"TrainingJobDefinitions": [definition]}):
        with pytest.raises(Unsupported, match=f"{next(iter(several))}.InputDataConfig.InputMode=Pipe"):
            support.check("CreateHyperParameterTuningJob", request | several)


def test_a_field_without_effect_is_logged_once(caplog):
    support._say_once.cache_clear()
    with caplog.at_level(logging.INFO, "sagehound.api"):
        support.check("CreateTrainingJob", requests.training(EnableManagedSpotTraining=True))
        support.check("CreateTrainingJob", requests.training(EnableManagedSpotTraining=True))
    assert sum("EnableManagedSpotTraining" in line for line in caplog.messages) == 1


def test_an_update_that_would_keep_old_weights_is_refused():
    request = {"EndpointName": "e", "EndpointConfigName": "c"}
    support.check("UpdateEndpoint", {**request, "RetainAllVariantProperties": False})
    with pytest.raises(Unsupported, match=r"RetainAllVariantProperties.*weights and counts"):
        support.check("UpdateEndpoint", {**request, "RetainAllVariantProperties": True})
