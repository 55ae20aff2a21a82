"""What every `TensorSource` must do. A test module subclasses the suite and gives it a source."""

from __future__ import annotations

import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.store.records import REDUCTIONS, Step, TensorInfo, number
from sagehound.debug.store.source import TensorSource
from sagehound.errors import TensorUnavailableForStep


class TensorSourceSuite:
    """Subclass it and define the fixture `source`: a training that has ended, with at least two saved steps, an
    array or reductions, and nothing damaged; not refreshed yet."""

    @pytest.fixture
    def read(self, source: TensorSource) -> TensorSource:
        source.refresh()
        return source

    def saved(self, source: TensorSource) -> list[tuple[str, Step, TensorInfo]]:
        return [
            (worker, step, info)
            for worker in source.runs()
            for step in source.steps(worker)
            for info in source.layout(worker, step.layout).tensors
        ]

    def test_a_second_look_brings_nothing(self, read: TensorSource) -> None:
        before = {worker: list(read.steps(worker)) for worker in read.runs()}
        assert not read.refresh()
        assert {worker: list(read.steps(worker)) for worker in read.runs()} == before
        assert sum(map(len, before.values())) >= 2

    def test_runs_are_named_after_their_workers(self, read: TensorSource) -> None:
        assert read.runs()
        assert all(run.worker == worker for worker, run in read.runs().items())

    def test_steps_come_in_the_order_of_their_global_steps(self, read: TensorSource) -> None:
        for worker in read.runs():
            numbers = [step.step for step in read.steps(worker)]
            assert numbers == sorted(set(numbers))

    def test_every_step_has_a_mode_and_a_number_in_it(self, read: TensorSource) -> None:
        for _, step, _ in self.saved(read):
            assert ModeKeys[step.mode]
            assert 0 <= step.mode_step <= step.step

    def test_arrays_have_the_shape_that_their_layout_says(self, read: TensorSource) -> None:
        saved = self.saved(read)
        assert any(info.saved == "array" or info.reductions for _, _, info in saved)
        for worker, step, info in saved:
            if info.saved == "array":
                assert read.read(worker, step.step, info.name).shape == info.shape, info.name

    def test_an_array_is_the_readers_own(self, read: TensorSource) -> None:
        for worker, step, info in self.saved(read):
            if info.saved == "array":
                before = read.read(worker, step.step, info.name).copy()
                read.read(worker, step.step, info.name)[...] = 0
                assert (read.read(worker, step.step, info.name) == before).all(), info.name

    def test_scalars_stand_in_the_step(self, read: TensorSource) -> None:
        for _, step, info in self.saved(read):
            if info.saved == "scalar":
                assert isinstance(number(step.scalars[info.name]), float)

    def test_reductions_are_one_vector_a_step(self, read: TensorSource) -> None:
        for worker in read.runs():
            for step in read.steps(worker):
                expected = sum(len(info.reductions) for info in read.layout(worker, step.layout).tensors)
                if expected:
                    assert read.read(worker, step.step, REDUCTIONS).shape == (expected,)

    def test_what_was_not_saved_is_unavailable_at_that_step(self, read: TensorSource) -> None:
        worker = next(iter(read.runs()))
        last = read.steps(worker)[-1].step
        for step, name in ((last, "nothing of this name"), (last + 1, "nothing of this name")):
            with pytest.raises(TensorUnavailableForStep):
                read.read(worker, step, name)

    def test_it_knows_that_the_training_ended(self, read: TensorSource) -> None:
        assert read.state().ended
