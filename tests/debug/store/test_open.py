import pytest
import torch

from sagehound.debug.modes import ModeKeys
from sagehound.debug.store.open import open_source
from sagehound.debug.store.writer import FolderSink
from sagehound.errors import InvalidInput
from sagehound.testing.recorded_run import RecordedRun, info
from sagehound.testing.tensor_source_suite import TensorSourceSuite
from tests.debug.store.examples import step
from tests.debug.store.test_original import DATA


class TestMadeUpInMemory(TensorSourceSuite):
    @pytest.fixture
    def source(self):
        run = RecordedRun()
        run.save({info("w", "weight"): torch.ones(2, 3).numpy()})
        run.save({info("CrossEntropyLoss_output_0", "loss"): 0.5}, mode=ModeKeys.EVAL)
        return run.end()


@pytest.mark.parametrize("there", ["", "tensors", "not/yet/there"])
def test_a_place_with_nothing_in_it_is_empty_until_something_comes(tmp_path, there):
    (tmp_path / "tensors").mkdir()
    source = open_source(tmp_path / there)
    assert not source.refresh()
    assert (dict(source.runs()), list(source.steps("worker_0")), source.state().ended) == ({}, [], False)
    with pytest.raises(InvalidInput, match="nothing was saved"):
        source.read("worker_0", 0, "w")
    sink = FolderSink(tmp_path / there)
    sink.write(step(0, {"w": torch.ones(2)}))
    sink.close({})
    assert source.refresh()
    assert source.read("worker_0", 0, "w").tolist() == [1, 1]
    assert source.layout("worker_0", 0).tensors[0].name == "w"


def test_either_debuggers_data_is_known_by_its_folders(tmp_path):
    source = open_source(str(DATA / "smdebug_plain"))
    assert source.refresh()
    assert source.runs()["worker_0"].framework == "smdebug"


def test_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="is a file"):
        open_source(tmp_path / "file")


def test_a_home_folder_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    FolderSink(tmp_path / "tensors").close({})
    source = open_source("~/tensors")
    assert source.refresh()
