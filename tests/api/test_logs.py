"""CloudWatch Logs through their operations."""

import pytest

from sagehound.errors import InvalidInput, NotFound, Unsupported
from tests.api import requests
from tests.api.conftest import NOW

GROUP = "/aws/sagemaker/TrainingJobs"
JOB = "dog-2026-11-22"
STREAM = f"{JOB}/algo-1-{int(NOW)}"


def write(folder, host, *lines):
    """Lines as the shim writes them: (milliseconds, text)."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{host}.log").open("a") as file:
        file.writelines(f"{at_ms} {text}\n" for at_ms, text in lines)


@pytest.fixture
def folder(call, context):
    call("CreateTrainingJob", **requests.training(JOB))
    return context.settings.jobs_folder / JOB


def texts(response):
    return [event["message"] for event in response["events"]]


def get(call, **request):
    return call("GetLogEvents", logGroupName=GROUP, logStreamName=STREAM, **request)


def test_a_job_that_has_not_begun_has_no_stream(call, folder):
    assert call("DescribeLogStreams", logGroupName=GROUP, logStreamNamePrefix=f"{JOB}/")["logStreams"] == []
    with pytest.raises(NotFound, match="The specified log stream does not exist"):
        get(call)


def test_streams_are_one_a_host(call, folder):
    for host in ("algo-1", "algo-2"):
        write(folder, host, (1000, "hello"))
    response = call(
        "DescribeLogStreams", logGroupName=GROUP, logStreamNamePrefix=f"{JOB}/", orderBy="LogStreamName", limit=1
    )
    (first,) = response["logStreams"]
    assert (first["logStreamName"], first["firstEventTimestamp"]) == (STREAM, 1000)
    (second,) = call(
        "DescribeLogStreams",
        logGroupName=GROUP,
        logStreamNamePrefix=f"{JOB}/",
        limit=1,
        nextToken=response["nextToken"],
    )["logStreams"]
    assert second["logStreamName"].startswith(f"{JOB}/algo-2-")


def test_streams_of_all_jobs(call, context, folder):
    call("CreateTrainingJob", **requests.training("cat"))
    write(folder, "algo-1", (1000, "hello"))
    write(context.settings.jobs_folder / "cat", "algo-1", (2000, "hello"))

    def names(**request):
        streams = call("DescribeLogStreams", logGroupName=GROUP, **request)["logStreams"]
        return [item["logStreamName"].split("/")[0] for item in streams]

    assert names() == ["cat", JOB]
    assert names(descending=True) == [JOB, "cat"]
    assert names(logStreamNamePrefix="do") == [JOB]
    assert names(logStreamNamePrefix="og") == []
    assert sorted(names(orderBy="LastEventTime")) == ["cat", JOB]


def test_an_unknown_group_is_not_found_as_aws_says(call):
    for group in ("/aws/lambda/x", "/aws/sagemaker/Endpoints/none"):
        with pytest.raises(NotFound, match="The specified log group does not exist"):
            call("DescribeLogStreams", logGroupName=group)


def test_the_sdk_follows_a_log(call, folder):
    """As sagemaker.logs does: from the head, token after token, until a page is empty."""
    write(folder, "algo-1", *((1000 + n, f"line {n}") for n in range(5)))
    first = get(call, startTime=0, startFromHead=True, limit=3)
    assert texts(first) == ["line 0", "line 1", "line 2"]
    second = get(call, startFromHead=True, nextToken=first["nextForwardToken"], limit=3)
    assert texts(second) == ["line 3", "line 4"]
    last = get(call, startFromHead=True, nextToken=second["nextForwardToken"])
    assert (texts(last), last["nextForwardToken"]) == ([], second["nextForwardToken"])
    write(folder, "algo-1", (2000, "line 5"))
    assert texts(get(call, nextToken=last["nextForwardToken"])) == ["line 5"]


def test_without_start_from_head_the_end_comes_first(call, folder):
    write(folder, "algo-1", *((1000 + n, f"line {n}") for n in range(5)))
    end = get(call, limit=2)
    assert texts(end) == ["line 3", "line 4"]
    before = get(call, limit=2, nextToken=end["nextBackwardToken"])
    assert texts(before) == ["line 1", "line 2"]
    assert texts(get(call, limit=9, nextToken=before["nextForwardToken"])) == ["line 3", "line 4"]
    head = get(call, limit=2, nextToken=before["nextBackwardToken"])
    assert texts(head) == ["line 0"]
    start = get(call, limit=2, nextToken=head["nextBackwardToken"])
    assert (texts(start), start["nextBackwardToken"]) == ([], head["nextBackwardToken"])


def test_times_bound_what_is_read(call, folder):
    write(folder, "algo-1", *((1000 + n, f"line {n}") for n in range(5)))
    assert texts(get(call, startFromHead=True, startTime=1003)) == ["line 3", "line 4"]
    assert texts(get(call, startFromHead=True, startTime=1003, limit=1)) == ["line 3"]
    assert texts(get(call, endTime=1002)) == ["line 0", "line 1"]


def test_an_unfinished_line_is_left_for_later(call, folder):
    write(folder, "algo-1", (1000, "whole"))
    with (folder / "algo-1.log").open("a") as file:
        file.write("1001 half")
    assert texts(get(call, startFromHead=True)) == ["whole"]


@pytest.mark.parametrize("token", ["x", "f/1", "f/a/1", "b/1", "f/-1/0"])
def test_a_made_up_token_is_refused(call, folder, token):
    write(folder, "algo-1", (1000, "hello"))
    with pytest.raises(InvalidInput, match="nextToken is invalid"):
        get(call, nextToken=token)


def test_filter_across_hosts_page_by_page(call, folder):
    write(folder, "algo-1", *((1000 + 2 * n, f"a {n} ERROR") for n in range(3)))
    write(folder, "algo-2", *((1001 + 2 * n, f"b {n} {'ERROR' if n else 'fine'}") for n in range(3)))

    def page(**request):
        return call("FilterLogEvents", logGroupName=GROUP, filterPattern="ERROR", **request)

    assert texts(page()) == ["a 0 ERROR", "a 1 ERROR", "b 1 ERROR", "a 2 ERROR", "b 2 ERROR"]
    assert texts(page(logStreamNames=[STREAM])) == ["a 0 ERROR", "a 1 ERROR", "a 2 ERROR"]
    seen, token = [], {}
    while True:
        response = page(limit=2, logStreamNamePrefix=f"{JOB}/", **token)
        seen += texts(response)
        if "nextToken" not in response:
            break
        token = {"nextToken": response["nextToken"]}
    assert seen == ["a 0 ERROR", "a 1 ERROR", "b 1 ERROR", "a 2 ERROR", "b 2 ERROR"]
    with pytest.raises(InvalidInput, match="nextToken is invalid"):
        page(nextToken="bm9uZQ==")


def test_events_of_the_same_moment_have_ids_of_their_own(call, folder):
    write(folder, "algo-1", (1000, "a"), (1000, "b"), (1000, "c"))
    write(folder, "algo-2", (1000, "d"), (1000, "e"), (1001, "f"))
    seen, token = [], {}
    while True:
        page = call("FilterLogEvents", logGroupName=GROUP, limit=1, **token)
        seen += page["events"]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert [event["message"] for event in seen] == list("abcdef")
    assert len({event["eventId"] for event in seen}) == 6


def test_filter_patterns_of_other_kinds_are_refused(call, folder):
    with pytest.raises(Unsupported, match="only plain terms"):
        call("FilterLogEvents", logGroupName=GROUP, filterPattern="{ $.level = 1 }")


def test_the_log_of_an_endpoint(call, context):
    call("CreateModel", **requests.model())
    call("CreateEndpointConfig", **requests.config())
    call("CreateEndpoint", EndpointName="mb-ep", EndpointConfigName="c9")
    write(context.settings.endpoints_folder / "mb-ep", "AllTraffic-0", (1000, "loaded"))
    group = "/aws/sagemaker/Endpoints/mb-ep"
    (stream,) = call("DescribeLogStreams", logGroupName=group)["logStreams"]
    assert stream["logStreamName"] == "AllTraffic/i-0"
    assert texts(call("FilterLogEvents", logGroupName=group, logStreamNamePrefix="AllTraffic/", limit=10)) == ["loaded"]
    assert texts(call("GetLogEvents", logGroupName=group, logStreamName="AllTraffic/i-0")) == ["loaded"]


def test_the_log_of_an_endpoint_outlives_it(call, context):
    write(context.settings.endpoints_folder / "gone", "AllTraffic-1", (1000, "no weights"))
    assert texts(call("FilterLogEvents", logGroupName="/aws/sagemaker/Endpoints/gone")) == ["no weights"]


@pytest.mark.parametrize("name", ["never", "../jobs", "..", "", "a/b"])
def test_an_endpoint_that_never_was_has_no_log(call, context, name):
    write(context.settings.jobs_folder, "secret", (1000, "no"))
    with pytest.raises(NotFound, match="log group does not exist"):
        call("FilterLogEvents", logGroupName=f"/aws/sagemaker/Endpoints/{name}")


def test_a_group_may_be_named_by_its_arn(call, folder):
    write(folder, "algo-1", (1000, "hello"))
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"
    assert texts(call("FilterLogEvents", logGroupIdentifier=arn)) == ["hello"]
    with pytest.raises(InvalidInput, match="send logGroupName"):
        call("FilterLogEvents")
