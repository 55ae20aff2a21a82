"""The regular expressions of metrics."""

import pytest

from sagehound.api.metric_definitions import metric_definitions
from sagehound.errors import InvalidInput


def test_definitions_keep_their_order():
    given = [{"Name": "b", "Regex": r"b: ([0-9\.]+)"}, {"Name": "a", "Regex": "a=(.*?);"}]
    assert [(item.name, item.regex) for item in metric_definitions(given)] == [
        ("b", r"b: ([0-9\.]+)"),
        ("a", "a=(.*?);"),
    ]


@pytest.mark.parametrize(
    ("regex", "words"), [("[", "does not compile"), ("loss", "has no group"), ("(?:a)", "no group")]
)
def test_a_bad_regex_names_its_metric(regex, words):
    with pytest.raises(InvalidInput, match=f"the metric 'm' {words}|'m' .*{words}"):
        metric_definitions([{"Name": "m", "Regex": regex}])
