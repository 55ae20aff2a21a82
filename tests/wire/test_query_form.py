"""Forms of the query protocol."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagehound.errors import InvalidInput
from sagehound.wire.errors import Malformed
from sagehound.wire.model import load_model
from sagehound.wire.query_form import read_form, read_structure
from sagehound.wire.validate import checked
from tests.wire.samples import arrived, built

MODEL = load_model("cloudwatch", ["GetMetricStatistics", "PutMetricData"])
STATISTICS = MODEL.operations["GetMetricStatistics"].input


def spelled(operation, **request):
    fields = read_form(arrived(built("cloudwatch", operation, protocol="query", **request)))
    mine = {name: value for name, value in fields.items() if name not in ("Action", "Version")}
    reference = MODEL.operations[operation].input
    return checked(MODEL, reference, read_structure(MODEL, reference, mine))


def test_what_an_older_botocore_spells_is_read_back():
    request = {
        "Namespace": "/aws/sagemaker/TrainingJobs",
        "MetricName": "average test loss",
        "Dimensions": [{"Name": "TrainingJobName", "Value": "dogs"}, {"Name": "Host", "Value": "algo-1"}],
        "Period": 60,
        "Statistics": ["Average", "Maximum"],
    }
    times = {"StartTime": "2026-11-22T16:30:29Z", "EndTime": "2026-11-22T17:30:29Z"}
    assert spelled("GetMetricStatistics", **request, **times) == {
        **request,
        "StartTime": 1795365029.0,
        "EndTime": 1795368629.0,
    }


def test_lists_of_more_than_nine_keep_their_order():
    data = [{"MetricName": f"m{number}", "Value": float(number)} for number in range(12)]
    assert spelled("PutMetricData", Namespace="n", MetricData=data)["MetricData"] == data


def test_an_empty_list_is_one():
    assert read_structure(MODEL, STATISTICS, {"Statistics": ""}) == {"Statistics": []}


def test_maps_have_entries():
    model = load_model("cloudwatch", ["GetMetricStatistics"])
    reference = model.shapes["Datapoint"].members["ExtendedStatistics"]
    holder = model.structure(model.shapes["Datapoints"].member)
    fields = {"ExtendedStatistics.entry.1.key": "p90", "ExtendedStatistics.entry.1.value": "0.5"}
    assert holder.members["ExtendedStatistics"] is reference
    assert read_structure(model, model.shapes["Datapoints"].member, fields) == {"ExtendedStatistics": {"p90": 0.5}}


@pytest.mark.parametrize(
    "fields",
    [
        {"Period": "x"},
        {"Period.a": "1"},
        {"Dimensions": "x"},
        {"Dimensions.member.x.Name": "n"},
        {"Statistics.member": "x"},
        {"Statistics.member.1.x": "x"},
        {"Period": "1", "Period.a": "1"},
        {"Period.a": "1", "Period": "1"},
        {f"Statistics.member.{'9' * 5000}": "x"},
        {"Dimensions.member.1": "x", "Dimensions.member.01.Name": "x"},
    ],
)
def test_what_is_of_another_type_is_refused(fields):
    with pytest.raises(Malformed):
        read_structure(MODEL, STATISTICS, fields)


def test_an_unknown_name_is_left_to_the_check_of_the_whole():
    with pytest.raises(Malformed, match="unknown field 'Colour'"):
        checked(MODEL, STATISTICS, read_structure(MODEL, STATISTICS, {"Colour": "red"}))


names = st.lists(st.sampled_from(["Dimensions", "member", "1", "2", "Name", "Period", "entry", "x", ""]), max_size=5)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(names.map(".".join), st.text(max_size=5), max_size=6))
def test_whatever_is_sent_is_refused_in_words_or_read(fields):
    try:
        checked(MODEL, STATISTICS, read_structure(MODEL, STATISTICS, fields))
    except InvalidInput as error:
        assert str(error)
