import os

from sagehound.jobs.cores import usable_cores


def test_cores_that_this_process_may_use():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


def test_a_system_without_affinity_gives_all_of_them(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cores() == (os.cpu_count() or 1)
