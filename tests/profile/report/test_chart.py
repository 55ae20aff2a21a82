"""What a chart shows of many samples: no peak is lost, gaps stay gaps."""

import doctest

import numpy as np

from sagehound.profile.report import chart, material
from sagehound.profile.report.chart import BUCKETS, Chart, line
from sagehound.profile.report.digest import digests
from sagehound.profile.series import series_of
from sagehound.testing.recorded_profile import healthy


def test_the_examples_hold() -> None:
    for module in (chart, material):
        assert doctest.testmod(module).failed == 0


def test_a_single_peak_among_many_samples_is_kept() -> None:
    at_s, values = np.arange(100_000.0), np.ones(100_000)
    values[54_321] = 99.0
    values[12_345] = -7.0
    drawn = line("x", at_s, values, 0, (0.0, 100_000.0))
    assert drawn is not None
    assert (len(drawn.at_s), drawn.high.max(), drawn.low.min()) == (BUCKETS, 99.0, -7.0)
    assert "highest 99 %" in Chart("x", "X", "%", (drawn,), span=(0.0, 100_000.0)).in_words()


def test_where_nothing_was_seen_for_long_the_line_has_a_gap() -> None:
    at_s = np.concatenate((np.arange(0.0, 50.0), np.arange(200.0, 250.0)))
    broken, joined = (line("x", at_s, at_s, 0, (0.0, 300.0), joined=each) for each in (False, True))
    assert broken is not None and joined is not None
    assert broken.gaps.tolist() == [50]
    assert joined.gaps.tolist() == []
    times, levels = Chart("x", "X", "s", (broken,), stacked=True, span=(0.0, 300.0)).stack()
    assert len(times) == 102
    assert levels[0][50:52].tolist() == [0.0, 0.0]


def test_digests_have_the_spread_of_every_series_and_of_all_cores_together() -> None:
    profile = healthy().profile
    found = digests(profile.system, (profile.job.started_s or 0.0, profile.job.ended_s or 0.0))
    whole = [each for each in found if each.whole]
    assert [each.name for each in whole] == ["all 4 cores"]
    every = series_of(profile.system)
    assert len(found) == len(every) + 1
    for each, series in zip([one for one in found if not one.whole], every, strict=True):
        assert (each.dimension, each.name) == (series.dimension, series.name)
        assert each.spread is not None
        assert each.spread.p95 == np.percentile(series.values, 95)
