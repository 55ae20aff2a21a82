"""Bokeh in a page: no address in its script, and data that cannot end the element it stands in."""

import re

from bokeh.plotting import figure

from sagehound.pages.live import INKS, safe_json, script, scripts

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


def test_a_page_without_figures_has_no_script() -> None:
    assert scripts({}) is None
