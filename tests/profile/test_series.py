"""The samples of a machine as series."""

import numpy as np
import pyarrow as pa

from sagehound.profile.series import series_of
from sagehound.profile.tables import SYSTEM
from sagehound.testing.recorded_profile import RecordedProfile


def table(rows: list[tuple[float, str, str, str, float]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SYSTEM.names, row, strict=True)) for row in rows], schema=SYSTEM)


ROWS = [
    (1.0, "algo-1", "CPUUtilization", "cpu10", 10.0),
    (1.0, "algo-1", "CPUUtilization", "cpu2", 2.0),
    (1.0, "algo-2", "CPUUtilization", "cpu2", 3.0),
    (2.0, "algo-1", "CPUUtilization", "cpu10", 11.0),
    (2.0, "algo-1", "MemoryUsedPercent", "job", 50.0),
]


def test_each_core_is_a_series_in_the_order_of_people():
    found = series_of(table(ROWS))
    assert [(s.node, s.name) for s in found] == [
        ("algo-1", "cpu2"),
        ("algo-1", "cpu10"),
        ("algo-1", "job"),
        ("algo-2", "cpu2"),
    ]
    assert (found[1].at_s.tolist(), found[1].values.tolist()) == ([1.0, 2.0], [10.0, 11.0])


def test_one_dimension_name_or_node_can_be_asked_for():
    system = table(ROWS)
    assert [s.name for s in series_of(system, "MemoryUsedPercent")] == ["job"]
    assert [s.node for s in series_of(system, name="cpu2")] == ["algo-1", "algo-2"]
    assert len(series_of(system, node="algo-2")) == 1
    assert series_of(system, "GPUUtilization") == ()


def test_tables_with_dictionaries_of_their_own_are_read_as_one():
    whole = pa.concat_tables([table(ROWS[:2]), table(ROWS[4:]), table(ROWS[2:4])])
    assert [len(s.values) for s in series_of(whole)] == [1, 2, 1, 1]


def test_an_empty_table_has_no_series():
    assert series_of(SYSTEM.empty_table()) == ()


def test_a_recorded_machine_has_its_cores_and_gpus():
    profile = RecordedProfile(cores=3, gpus=2).profile
    assert [s.name for s in series_of(profile.system, "CPUUtilization")] == ["cpu0", "cpu1", "cpu2", "job"]
    assert [s.name for s in series_of(profile.system, "GPUUtilization")] == ["gpu0", "gpu1"]
    assert all((np.diff(s.at_s) > 0).all() for s in series_of(profile.system))


def test_columns_in_other_pieces_are_read_as_well():
    system = table(ROWS)
    values = pa.chunked_array([system["value"].combine_chunks()[:2], system["value"].combine_chunks()[2:]])
    found = series_of(system.set_column(4, "value", values), name="cpu10")
    assert found[0].values.tolist() == [10.0, 11.0]
