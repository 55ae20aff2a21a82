"""Fewer points, and no peak lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sagehound.profile.downsample import downsample, extremes


def test_a_bucket_has_the_mean_the_lowest_and_the_highest_of_its_samples():
    got = downsample(np.arange(10.0), np.array([1, 2, 3, 4, 100, 0, 0, 0, 0, 5.0]), 2)
    assert got.mean.tolist() == [22.0, 1.0]
    assert (got.minimum.tolist(), got.maximum.tolist()) == ([1.0, 0.0], [100.0, 5.0])
    assert (got.at_s.tolist(), got.count.tolist()) == ([2.0, 7.0], [5, 5])


@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(-1e6, 1e6)), min_size=1, max_size=60), st.integers(1, 20))
def test_nothing_is_lost_whatever_the_order(samples, buckets):
    at_s, values = np.array(samples).T
    got = downsample(at_s, values, buckets)
    assert got.count.sum() == len(samples) and len(got.count) <= buckets
    assert (got.minimum.min(), got.maximum.max()) == (values.min(), values.max())
    assert np.isclose((got.mean * got.count).sum(), values.sum(), atol=1e-3)


def test_a_stretch_of_time_gives_the_same_buckets_to_every_series():
    one = downsample(np.array([0.0, 9.0]), np.array([1.0, 2.0]), 5, from_s=0.0, to_s=10.0)
    other = downsample(np.array([0.5, 5.0, 9.5, 11.0]), np.array([1.0, 2.0, 3.0, 4.0]), 5, from_s=0.0, to_s=10.0)
    assert (one.count.tolist(), other.count.tolist(), other.maximum.tolist()) == ([1, 1], [1, 1, 1], [1.0, 2.0, 3.0])


def test_what_is_no_number_is_left_out():
    got = downsample(np.arange(4.0), np.array([np.nan, 1.0, np.inf, 3.0]), 1)
    assert (got.mean.tolist(), got.count.tolist()) == ([2.0], [2])
    assert len(downsample(np.zeros(0), np.zeros(0), 4).mean) == 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.integers(2, 30))
def test_extremes_are_samples_in_order_with_the_highest_and_the_lowest(values, points):
    at_s, kept = extremes(np.arange(float(len(values))), np.array(values), points)
    assert len(kept) <= max(points, 2) and (np.diff(at_s) > 0).all()
    assert (kept.min(), kept.max()) == (min(values), max(values))
    assert all(values[int(t)] == v for t, v in zip(at_s, kept, strict=True))
