"""Tags."""

import pytest

from sagehound.api import tags
from sagehound.errors import InvalidInput, NotFound
from sagehound.records.serving import Model
from sagehound.records.tags import TagSet
from tests.api.conftest import NOW


@pytest.fixture
def arn(context):
    arn = context.arn(Model.kind, "m")
    context.store.insert(Model(name="m", created_at=NOW, modified_at=NOW, arn=arn, document={}))
    return arn


def listed(**pairs):
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def test_tags_are_added_replaced_listed_and_taken_away(call, arn):
    assert call("AddTags", ResourceArn=arn, Tags=listed(team="a", stage="b"))["Tags"] == listed(team="a", stage="b")
    assert call("AddTags", ResourceArn=arn, Tags=listed(team="c"))["Tags"] == listed(team="c", stage="b")
    assert call("ListTags", ResourceArn=arn) == {"Tags": listed(team="c", stage="b")}
    assert call("DeleteTags", ResourceArn=arn, TagKeys=["stage", "none"]) == {}
    assert call("ListTags", ResourceArn=arn) == {"Tags": listed(team="c")}


def test_a_resource_without_tags_has_none(call, arn):
    assert call("ListTags", ResourceArn=arn) == {"Tags": []}
    assert call("DeleteTags", ResourceArn=arn, TagKeys=["a"]) == {}


@pytest.mark.parametrize(
    "other",
    [
        "arn:aws:sagemaker:us-east-1:000000000000:model/other",
        "arn:aws:sagemaker:us-east-1:000000000000:domain/m",
        "arn:aws:sagemaker:eu-west-1:000000000000:model/m",
        "arn:aws:sagemaker:us-east-1:999999999999:model/m",
    ],
)
def test_a_resource_that_there_is_not(call, arn, other):
    for operation, request in (
        ("AddTags", {"Tags": listed(a="b")}),
        ("ListTags", {}),
        ("DeleteTags", {"TagKeys": ["a"]}),
    ):
        with pytest.raises(NotFound, match="there is no"):
            call(operation, ResourceArn=other, **request)


def test_at_most_fifty(call, arn):
    call("AddTags", ResourceArn=arn, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
    with pytest.raises(InvalidInput, match="51 tags are too many"):
        call("AddTags", ResourceArn=arn, Tags=listed(one="more"))
    assert len(call("ListTags", ResourceArn=arn)["Tags"]) == 50


def test_keys_of_aws_s_own_are_reserved(call, arn):
    with pytest.raises(InvalidInput, match=r"aws:x.* is reserved"):
        call("AddTags", ResourceArn=arn, Tags=[{"Key": "aws:x", "Value": "1"}])


def test_a_page_after_the_only_one_is_refused(call, arn):
    with pytest.raises(InvalidInput, match="NextToken"):
        call("ListTags", ResourceArn=arn, NextToken="x")


def test_tags_go_with_their_resource(context, arn):
    tags.attach(arn, listed(a="b"), context)
    tags.forget(arn, context)
    tags.forget(arn, context)
    with pytest.raises(NotFound):
        context.store.get(TagSet, arn)
