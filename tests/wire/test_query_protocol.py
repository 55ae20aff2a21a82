"""Query requests and XML answers, read by botocore."""

from botocore.parsers import create_parser

from sagehound.wire.errors import AwsError
from sagehound.wire.model import load_model
from sagehound.wire.query_protocol import QueryProtocol
from tests.wire.samples import arrived, botocore_model, built

STS = QueryProtocol("https://sts.amazonaws.com/doc/2011-06-15/")


def read_by_botocore(outgoing, service, operation):
    shape = botocore_model(service).operation_model(operation).output_shape
    answer = {"status_code": outgoing.status, "headers": outgoing.headers, "body": outgoing.body}
    return create_parser("query").parse(answer, shape)


def test_the_name_of_the_operation_is_no_part_of_its_input():
    model = load_model("iam", ["GetRole"])
    assert STS.parse(model, "GetRole", arrived(built("iam", "GetRole", RoleName="r"))) == {"RoleName": "r"}


def test_a_response_is_read_back():
    response = {"UserId": "AKIA<&>", "Account": "000000000000", "Arn": "arn:aws:sts::0:assumed-role/a/b"}
    outgoing = STS.success(load_model("sts", ["GetCallerIdentity"]), "GetCallerIdentity", response, "r-1")
    read = read_by_botocore(outgoing, "sts", "GetCallerIdentity")
    assert read.pop("ResponseMetadata")["RequestId"] == "r-1"
    assert read == response


def test_numbers_times_lists_and_maps_are_read_back():
    model = load_model("cloudwatch", ["GetMetricStatistics"])
    point = {"Timestamp": 1795365029.5, "Average": 0.25, "Unit": "None", "ExtendedStatistics": {"p90": 1.5}}
    response = {"Label": "loss", "Datapoints": [point, {"Timestamp": 0.0, "Sum": 1e-9}], "Unused": None}
    outgoing = STS.success(model, "GetMetricStatistics", {**response, "Unused": None}, "r-1")
    read = read_by_botocore(outgoing, "cloudwatch", "GetMetricStatistics")
    first, second = read["Datapoints"]
    assert first.pop("Timestamp").timestamp() == 1795365029.5
    assert first == {"Average": 0.25, "Unit": "None", "ExtendedStatistics": {"p90": 1.5}}
    assert second["Sum"] == 1e-9


def test_an_error_is_read_back():
    outgoing = STS.failure(AwsError("NoSuchEntity", "no <role>\x00", 404), "r-1")
    read = read_by_botocore(outgoing, "sts", "GetCallerIdentity")
    assert outgoing.status == 404
    assert read["Error"] == {"Type": "Sender", "Code": "NoSuchEntity", "Message": "no <role>\ufffd"}
