"""Endpoints through the SageMaker SDK v2 and boto3."""

import contextlib
import io
import json
import tarfile

import boto3
import numpy as np
import pytest
from botocore.exceptions import ClientError

from tests.sdk.conftest import SCRIPTS
from tests.sdk.waiting import eventually


@pytest.fixture
def model_data(session, tmp_path):
    """Makes a model.tar.gz in S3 that holds one number."""

    def make(number):
        path = tmp_path / f"model-{number}" / "model.tar.gz"
        path.parent.mkdir()
        with tarfile.open(path, "w:gz") as archive:
            data = str(number).encode()
            info = tarfile.TarInfo("weights.txt")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        return session.upload_data(str(path), bucket=session.default_bucket(), key_prefix=f"models/{number}")

    return make


@pytest.fixture
def deploy(session, role, model_data, sm):
    """Deploys a model of a number; deletes what it made."""
    from sagemaker.deserializers import JSONDeserializer
    from sagemaker.predictor import Predictor
    from sagemaker.pytorch import PyTorchModel
    from sagemaker.serializers import IdentitySerializer

    class ImagePredictor(Predictor):
        def __init__(self, endpoint_name, sagemaker_session):
            super().__init__(
                endpoint_name,
                sagemaker_session=sagemaker_session,
                serializer=IdentitySerializer("image/jpeg"),
                deserializer=JSONDeserializer(),
            )

    made = []

    def make(number, **options):
        model = PyTorchModel(
            model_data=model_data(number),
            role=role,
            entry_point="inference.py",
            source_dir=str(SCRIPTS),
            framework_version="2.0",
            py_version="py310",
            predictor_cls=ImagePredictor,
            sagemaker_session=session,
        )
        predictor = model.deploy(initial_instance_count=1, instance_type="ml.m5.large", **options)
        made.append(predictor)
        return predictor

    yield make
    for predictor in made:
        with contextlib.suppress(ClientError):
            sm.delete_endpoint(EndpointName=predictor.endpoint_name)


def test_deploy_predict_update_delete(deploy, session, sm):
    predictor = deploy(1)
    response = predictor.predict(b"\xff\xd8\xff..", initial_args={"ContentType": "image/jpeg"})
    assert response[0][:2] == [1.0, 5.0]
    assert np.argmax(response, 1).shape == (1,)

    other = deploy(2)
    predictor.update_endpoint(
        initial_instance_count=1, instance_type="ml.m5.large", model_name=other._get_model_names()[0]
    )
    assert predictor.predict(b"....", initial_args={"ContentType": "image/jpeg"})[0][0] == 2.0

    predictor.delete_endpoint()
    eventually(lambda: predictor.endpoint_name not in names(sm))
    with pytest.raises(ClientError, match=r"not found|Could not find"):
        predictor.predict(b"x", initial_args={"ContentType": "image/jpeg"})


def names(sm):
    return [endpoint["EndpointName"] for endpoint in sm.list_endpoints()["Endpoints"]]


def test_the_users_exception_comes_back_as_a_model_error(deploy):
    predictor = deploy(3)
    runtime = boto3.client("sagemaker-runtime")
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(EndpointName=predictor.endpoint_name, Body=b"1,2", ContentType="text/csv")
    assert caught.value.response["Error"]["Code"] == "ModelError"
    assert "cannot read text/csv" in caught.value.response["OriginalMessage"]
    reply = runtime.invoke_endpoint(
        EndpointName=predictor.endpoint_name, Body=json.dumps({"number": 4}), ContentType="application/json"
    )
    assert json.loads(reply["Body"].read())[0][:2] == [3.0, 4.0]


def test_a_model_that_does_not_load_fails_the_endpoint(deploy, sm):
    predictor = deploy("no-number", wait=False)
    description = eventually(lambda: described_in(sm, predictor.endpoint_name, "Failed"))
    reason = "ValueError: could not convert string to float: 'no-number'"
    assert reason in description["FailureReason"]

    predictor.delete_endpoint()
    eventually(lambda: predictor.endpoint_name not in names(sm))
    group = f"/aws/sagemaker/Endpoints/{predictor.endpoint_name}"
    pages = boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    assert reason in [event["message"] for page in pages for event in page["events"]]


def test_an_endpoint_of_two_variants(deploy, sm):
    predictor = deploy(5)
    name = predictor.endpoint_name
    (model,) = predictor._get_model_names()
    shared = {"ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sm.create_endpoint_config(
        EndpointConfigName=f"{name}-two",
        ProductionVariants=[
            {"VariantName": "all", "InitialVariantWeight": 1.0, **shared},
            {"VariantName": "none", "InitialVariantWeight": 0.0, **shared},
        ],
    )
    with pytest.raises(ClientError, match="RetainAllVariantProperties is not supported"):
        sm.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-two", RetainAllVariantProperties=True)
    sm.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-two")
    described = eventually(lambda: described_in(sm, name, "InService"))
    assert [variant["VariantName"] for variant in described["ProductionVariants"]] == ["all", "none"]
    runtime = boto3.client("sagemaker-runtime")
    for target, variant in ({}, "all"), ({"TargetVariant": "none"}, "none"):
        reply = runtime.invoke_endpoint(EndpointName=name, Body=b"..", ContentType="image/jpeg", **target)
        assert (reply["InvokedProductionVariant"], json.loads(reply["Body"].read())[0][:2]) == (variant, [5.0, 2.0])
    with pytest.raises(ClientError, match=r"'other' does not exist; this endpoint has all, none"):
        runtime.invoke_endpoint(EndpointName=name, Body=b"..", TargetVariant="other")


def described_in(sm, name, status):
    description = sm.describe_endpoint(EndpointName=name)
    return description if description["EndpointStatus"] == status else None


def test_a_trained_estimator_deploys_with_its_own_script(estimator, session, sm, tmp_path):
    (tmp_path / "both.py").write_text(
        "import os, pathlib\n"
        "def model_fn(model_dir):\n"
        "    text = pathlib.Path(model_dir, 'weights.txt').read_text()\n"
        "    return lambda data: [[float(text), float(sum(map(sum, data)))]]\n"
        "def predict_fn(data, model):\n"
        "    return model(data)\n"
        "if __name__ == '__main__':\n"
        "    pathlib.Path(os.environ['SM_MODEL_DIR'], 'weights.txt').write_text('9')\n"
    )
    job = estimator("both.py")
    job.source_dir = str(tmp_path)
    job.fit(logs=False)
    predictor = job.deploy(initial_instance_count=1, instance_type="ml.m5.large")
    try:
        assert np.asarray(predictor.predict([[1, 2]])).tolist() == [[9.0, 3.0]]
    finally:
        predictor.delete_endpoint()
