"""Bokeh in a page: no address in its script, and data that cannot end the element it stands in."""

import base64
import gzip
import re

from bokeh.plotting import figure

from sagehound.pages.live import INKS, packed, safe_json, script, scripts

HOSTILE = "</script><script>alert(1)</script>"


def test_the_script_names_no_address_but_those_of_the_drawing_language() -> None:
    assert set(re.findall(r"https?://[^/\"']+", script())) <= {"http://www.w3.org"}


def test_figures_stand_in_the_page_as_data() -> None:
    drawn = figure(name=HOSTILE)
    drawn.line([0, 1], [0, 1], color=INKS[0])
    found = scripts({HOSTILE: drawn}, own="window.whenDrawn = () => {};")
    assert found is not None
    assert found.count("<script") == found.count("</script") == 5
    assert "alert(1)" not in found.replace(safe_json(HOSTILE).strip('"'), "")


def test_what_is_packed_has_letters_that_end_no_element_and_is_the_same_each_time() -> None:
    text = packed(HOSTILE)
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", text)
    assert gzip.decompress(base64.b64decode(text)).decode() == HOSTILE
    assert packed(HOSTILE) == text


def test_a_page_without_figures_has_no_script() -> None:
    assert scripts({}) is None
