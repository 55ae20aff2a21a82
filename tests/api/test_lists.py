"""Page tokens and the defaults of lists."""

import pytest

from sagehound.api.lists import Listing, cursor, token
from sagehound.errors import InvalidInput


@pytest.mark.parametrize("text", ["", '[1.5, "a"]', "é"])
def test_a_token_reads_back(text):
    assert cursor(token(text)) == text


@pytest.mark.parametrize("given", ["a", "!!!!", "/w==", "é"])
def test_what_is_no_token_is_refused(given):
    with pytest.raises(InvalidInput, match="pass the one that the last page gave"):
        cursor(given)


def test_the_documented_defaults():
    query = Listing("Models", order="Descending").query({})
    assert (query.sort, query.descending, query.limit, query.cursor) == ("created_at", True, 10, "")
    assert not Listing("Jobs", sort="Name").query({"SortOrder": "Ascending"}).descending
    assert Listing("Jobs", sort="Name").query({}).sort == "name"
