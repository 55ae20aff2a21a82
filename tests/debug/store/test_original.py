import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from sagehound.debug.create_trial import create_trial
from sagehound.debug.store.files import LocalFiles
from sagehound.debug.store.open import open_source
from sagehound.debug.store.original import OriginalSource
from sagehound.debug.store.records import REDUCTIONS
from sagehound.errors import InvalidInput, MissingCollectionFiles, TensorUnavailableForStep
from sagehound.testing.tensor_source_suite import TensorSourceSuite

DATA = Path(__file__).parent / "data"


def read_all(source):
    """Every value, or else the reductions, under the keys of the golden file."""
    found = {}
    for worker in source.runs():
        for step in source.steps(worker):
            tensors = source.layout(worker, step.layout).tensors
            numbers = iter(source.read(worker, step.step, REDUCTIONS) if any(t.reductions for t in tensors) else ())
            for info in tensors:
                reductions = {name: next(numbers) for name in info.reductions}
                key = f"{info.name} {step.mode} {step.mode_step} {step.step}"
                if info.saved == "scalar":
                    golden_shape = source.read(worker, step.step, info.name).shape
                    found[key] = np.full(golden_shape, step.scalars[info.name])
                else:
                    found[key] = source.read(worker, step.step, info.name) if info.saved == "array" else reductions
    return found


class TestPlain(TensorSourceSuite):
    @pytest.fixture
    def source(self):
        return OriginalSource(LocalFiles(DATA / "smdebug_plain"))


class TestReductions(TensorSourceSuite):
    @pytest.fixture
    def source(self):
        return OriginalSource(LocalFiles(DATA / "smdebug_reductions"))


@pytest.mark.parametrize("name", ["smdebug_plain", "smdebug_reductions"])
def test_it_reads_what_the_original_itself_reads(name):
    source = open_source(DATA / name)
    source.refresh()
    golden = json.loads((DATA / f"{name}.json").read_text())
    found = read_all(source)
    assert found.keys() == golden.keys()
    for key, expected in golden.items():
        if isinstance(expected, dict):
            assert found[key] == pytest.approx(expected, rel=1e-6)
        else:
            np.testing.assert_allclose(found[key], expected, rtol=1e-6)


def test_kinds_collections_and_modules_are_told_from_names():
    source = open_source(DATA / "smdebug_plain")
    source.refresh()
    infos = {i.name: i for step in source.steps("worker_0") for i in source.layout("worker_0", step.layout).tensors}
    assert {name: (i.kind, i.collections) for name, i in infos.items() if "fc" not in name} == {
        "CrossEntropyLoss_output_0": ("loss", ("losses",)),
        "Net_out.bias": ("bias", ("biases",)),
        "Net_out.weight": ("weight", ("weights",)),
        "gradient/Net_out.bias": ("gradient", ("gradients",)),
        "gradient/Net_out.weight": ("gradient", ("gradients",)),
        "relu_output_0": ("output", ("relu_out",)),
        "scalar/batch": ("scalar", ()),
    }
    assert infos["relu_output_0"].module == "relu"
    assert infos["Net_out.weight"].shape == (2, 4)
    assert "relu_out" in [c.name for c in source.runs()["worker_0"].collections]


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(DATA / "smdebug_plain", tmp_path / "trial"))


def test_it_grows_and_ends(copy):
    later = copy / "index/000000000/000000000007_worker_0.json"
    held = later.rename(copy / "held.json")
    (copy / "training_job_end.ts").unlink()
    source = open_source(copy)
    assert source.refresh()
    before = len(source.steps("worker_0"))
    assert not source.refresh()
    held.rename(later)
    assert source.refresh()
    assert len(source.steps("worker_0")) == before + 1
    assert not source.state().ended
    (copy / "training_job_end.ts").touch()
    assert source.refresh()
    assert source.state().ended


def test_losses_are_numbers_that_a_frame_shows():
    frame = create_trial(DATA / "smdebug_plain").to_frame()
    losses = frame[frame.name == "CrossEntropyLoss_output_0"]
    assert list(zip(losses.step, losses["mode"], losses.value.round(4), strict=True)) == [
        (0, "TRAIN", 0.6967),
        (2, "TRAIN", 0.6733),
        (3, "EVAL", 0.6930),
        (5, "TRAIN", 0.6430),
    ]


def test_a_loss_that_cannot_be_read_leaves_the_rest(copy):
    file = copy / "events/000000000003/000000000003_worker_0.tfevents"
    file.write_bytes(file.read_bytes()[:780])
    source = open_source(copy)
    source.refresh()
    step = next(step for step in source.steps("worker_0") if step.step == 3)
    assert step.scalars == {}
    with pytest.raises(InvalidInput, match="CrossEntropyLoss_output_0"):
        source.read("worker_0", 3, "CrossEntropyLoss_output_0")
    assert source.read("worker_0", 3, "Net_fc.weight").shape == (4, 3)


def test_every_way_to_cut_or_garble_an_event_file_is_refused_by_name(copy):
    file = copy / "events/000000000003/000000000003_worker_0.tfevents"
    whole = file.read_bytes()
    source = open_source(copy)
    source.refresh()
    good = source.read("worker_0", 3, "Net_fc.weight")
    for at in range(171):
        for garbled in (whole[:at], whole[:at] + b"\xff" * (len(whole) - at), whole[:at] + b"\xff" + whole[at + 1 :]):
            file.write_bytes(garbled)
            try:
                read = source.read("worker_0", 3, "Net_fc.weight")
            except InvalidInput as error:
                assert "000000000003_worker_0.tfevents" in str(error)
            else:
                # A byte of a checksum, a name, a number: the tensor is there all the same.
                assert read.size == good.size
    assert source.read("worker_0", 0, "Net_fc.weight").shape == (4, 3)


@pytest.mark.parametrize(
    "index",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"meta": {"mode": "SLEEP", "mode_step": 0}}',
        b'{"meta": {"mode": "TRAIN", "mode_step": 0, "event_file_name": "/etc/passwd"}}',
        b'{"meta": {"mode": "TRAIN", "mode_step": 0, "event_file_name": "events/../../x/y.tfevents"}}',
        b'{"meta": {"mode": "TRAIN", "mode_step": 0}, "tensor_payload": '
        b'[{"tensorname": "a", "start_idx": -1, "length": 4}]}',
    ],
)
def test_a_damaged_index_is_named_and_the_rest_stays_readable(copy, index):
    (copy / "index/000000000/000000000003_worker_0.json").write_bytes(index)
    source = open_source(copy)
    source.refresh()
    assert [step.step for step in source.steps("worker_0")] == [0, 2, 5, 7]
    assert "000000000003_worker_0.json" in source.state().notes[0].text
    assert source.read("worker_0", 2, "Net_fc.weight").shape == (4, 3)


def test_damaged_collections_are_named(copy):
    (copy / "collections/000000000/worker_0_collections.json").write_bytes(b"{")
    source = open_source(copy)
    source.refresh()
    assert "worker_0_collections.json" in source.state().notes[0].text
    assert source.read("worker_0", 2, "Net_fc.weight").shape == (4, 3)


def test_a_missing_event_file_is_named_and_its_layout_still_known(copy):
    (copy / "events/000000000003/000000000003_worker_0.tfevents").unlink()
    source = open_source(copy)
    source.refresh()
    step = next(step for step in source.steps("worker_0") if step.step == 3)
    assert "Net_fc.weight" in [info.name for info in source.layout("worker_0", step.layout).tensors]
    with pytest.raises(TensorUnavailableForStep, match=r"000000000003_worker_0\.tfevents"):
        source.read("worker_0", 3, "Net_fc.weight")


def test_a_removed_trial_is_named(copy):
    source = open_source(copy)
    source.refresh()
    shutil.rmtree(copy)
    with pytest.raises(MissingCollectionFiles, match=str(copy)):
        source.read("worker_0", 3, "Net_fc.weight")
    with pytest.raises(MissingCollectionFiles, match=str(copy)):
        source.refresh()
