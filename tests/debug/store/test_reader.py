import json
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from sagehound.debug.store.files import LocalFiles
from sagehound.debug.store.places import END_OF_JOB, manifest_file, tensor_file
from sagehound.debug.store.reader import FolderSource
from sagehound.debug.store.records import REDUCTIONS, CollectionInfo, Facts, Model, Run
from sagehound.debug.store.writer import FolderSink
from sagehound.errors import InvalidInput, MissingCollectionFiles, TensorUnavailableForStep
from sagehound.testing.tensor_source_suite import TensorSourceSuite
from tests.debug.store.examples import LOSS, step


def source_of(folder):
    source = FolderSource(LocalFiles(folder))
    source.refresh()
    return source


@pytest.fixture
def saved(tmp_path):
    """Three steps of weights and losses, closed."""
    folder = tmp_path / "tensors"
    sink = FolderSink(folder, run=Run(collections=(CollectionInfo(name="weights"),)))
    for number in (0, 10, 20):
        sink.write(step(number, {"w": torch.full((2, 3), float(number)), "b": torch.zeros(3)}, loss=number / 10))
    sink.close({"TRAIN": 25, "GLOBAL": 25})
    return folder


class TestFolder(TensorSourceSuite):
    @pytest.fixture
    def source(self, tmp_path):
        sink = FolderSink(tmp_path)
        sink.write(step(0, {"w": torch.ones(2, 3, dtype=torch.bfloat16)}, mode="TRAIN"))
        sink.write(step(1, {"w": torch.ones(2, 3)}, mode="EVAL", reductions={"g": {"min": 1.0, "abs_l2": 2.0}}))
        sink.write(step(2, reductions={"g": {"min": -1.0}, "h": {"max": 4.0}}))
        sink.close({"TRAIN": 2})
        return FolderSource(LocalFiles(tmp_path))


def test_a_small_first_look_reads_the_same(saved):
    small, large = FolderSource(LocalFiles(saved), first_bytes=8), FolderSource(LocalFiles(saved), 1 << 20)
    for source in (small, large):
        source.refresh()
        assert source.read("worker_0", 20, "w").tolist() == [[20.0] * 3] * 2


def test_facts_model_notes_and_what_passed_come_back(tmp_path):
    sink = FolderSink(tmp_path)
    facts = Facts(training=True, learning_rates=(0.1, 0.01), samples=(1, 2**62), clip_norm="inf")
    one = step(3)
    one.facts = facts
    sink.describe(Model(root="Net", losses=("CrossEntropyLoss",)))
    sink.write(one)
    sink.note(3, "gradients stopped: because")
    sink.describe(Model(step=4, root="Net", losses=("MSELoss",)))
    sink.close({"TRAIN": 9, "GLOBAL": 12})
    source = source_of(tmp_path)
    assert source.steps("worker_0")[0].facts == facts
    state = source.state()
    assert (state.model.step, state.model.losses, state.passed) == (4, ("MSELoss",), {"TRAIN": 9, "GLOBAL": 12})
    assert [note.text for note in state.notes] == ["gradients stopped: because"]


def test_numbers_that_json_has_not_come_back_or_are_left_unknown(tmp_path):
    sink = FolderSink(tmp_path)
    for number, loss in enumerate((float("nan"), float("inf"), float("-inf"))):
        one = step(number, loss=loss)
        one.facts = Facts(training=True, learning_rates=(0.1, float("nan")), clip_limit=float("inf"))
        sink.write(one)
    sink.close({})
    source = source_of(tmp_path)
    assert [one.scalars[LOSS.name] for one in source.steps("worker_0")] == ["nan", "inf", "-inf"]
    assert source.steps("worker_0")[0].facts == Facts(training=True)
    assert source.state().notes == ()


def test_layouts_are_told_once_and_again_in_each_file(tmp_path):
    sink = FolderSink(tmp_path)
    for number in range(2500):
        sink.write(step(number, loss=None if number % 2 else 1.0))
    sink.close({})
    source = source_of(tmp_path)
    assert [one.step for one in source.steps("worker_0")] == list(range(2500))
    assert {one.layout for one in source.steps("worker_0")} == {0, 1}
    for name in (manifest_file("worker_0", number) for number in range(3)):
        kinds = [json.loads(line)["type"] for line in (tmp_path / name).read_text().splitlines()]
        assert (kinds[0], kinds.count("run"), kinds.count("layout")) == ("run", 1, 2), name
    assert not (tmp_path / manifest_file("worker_0", 3)).exists()


def test_only_what_was_appended_is_read(saved):
    read = []

    class Watched(LocalFiles):
        def read(self, name, start=0, end=None):
            read.append((name, start))
            return super().read(name, start, end)

    source = FolderSource(Watched(saved))
    source.refresh()
    assert read == [(manifest_file("worker_0", 0), 0)]
    size = (saved / manifest_file("worker_0", 0)).stat().st_size
    sink = FolderSink(saved, worker="worker_1", workers=2)
    sink.write(step(0))
    sink.close({})
    assert source.refresh()
    assert read[1:] == [(manifest_file("worker_1", 0), 0)]
    with (saved / manifest_file("worker_0", 0)).open("a") as file:
        file.write('{"type":"note","step":1,"text":"more"}\n')
    assert source.refresh()
    assert read[2:] == [(manifest_file("worker_0", 0), size)]


def test_a_line_that_is_not_whole_yet_waits(saved):
    manifest = saved / manifest_file("worker_0", 0)
    whole = manifest.read_bytes()
    source = FolderSource(LocalFiles(saved))
    for cut in range(0, len(whole) + 1, 7):
        manifest.write_bytes(whole[:cut])
        source.refresh()
        assert len(source.steps("worker_0")) == whole[:cut].count(b'"type":"step"') - (
            not whole[:cut].endswith(b"\n")
        ) * (b'"type":"step"' in whole[:cut].rpartition(b"\n")[2])
    manifest.write_bytes(whole)
    source.refresh()
    assert len(source.steps("worker_0")) == 3
    assert source.state().ended
    assert source.state().notes == ()


def test_a_damaged_line_in_the_middle_is_named_and_the_rest_stays_readable(saved):
    manifest = saved / manifest_file("worker_0", 0)
    lines = manifest.read_bytes().splitlines(keepends=True)
    assert b'"step":10' in lines[3]
    lines[3] = b'{"type":"step","step":\xff10,"mo\n'
    manifest.write_bytes(b"".join(lines))
    source = source_of(saved)
    assert [one.step for one in source.steps("worker_0")] == [0, 20]
    assert source.read("worker_0", 20, "w")[0, 0] == 20
    assert next(note.text for note in source.state().notes).startswith(
        f"line 4 of {manifest_file('worker_0', 0)} is damaged"
    )


def test_steps_whose_layout_was_damaged_are_left_out_and_named(saved):
    manifest = saved / manifest_file("worker_0", 0)
    lines = manifest.read_bytes().splitlines(keepends=True)
    assert b'"type":"layout"' in lines[1]
    lines[1] = b"\0" * 20 + b"\n"
    manifest.write_bytes(b"".join(lines))
    source = source_of(saved)
    assert list(source.steps("worker_0")) == []
    assert [manifest_file("worker_0", 0) in note.text for note in source.state().notes] == [True, True]


@pytest.mark.parametrize("kept", [0, 3, 7, 8, 40, 100, 150, -1])
def test_a_cut_file_is_named_and_the_rest_stays_readable(saved, kept):
    file = saved / tensor_file("worker_0", 10)
    whole = file.read_bytes()
    file.write_bytes(whole[:kept])
    source = source_of(saved)
    with pytest.raises(InvalidInput, match=str(tensor_file("worker_0", 10))):
        for name in ("w", "b"):
            source.read("worker_0", 10, name)
    assert source.read("worker_0", 20, "w")[0, 0] == 20


@pytest.mark.parametrize(
    "header",
    [
        b'{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,99999999999]}}',
        b'{"w":{"dtype":"F32","shape":[-2,-3],"data_offsets":[0,24]}}',
        b'{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[-24,0]}}',
        b'{"w":{"dtype":"Q32","shape":[2,3],"data_offsets":[0,24]}}',
        b'{"w":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,24]}}',
        b'{"w":[]}',
        b"[]",
        b"\xff\xff",
        b"",
    ],
)
def test_a_header_that_lies_is_refused_by_the_files_name(saved, header):
    file = saved / tensor_file("worker_0", 10)
    file.write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 24)
    with pytest.raises(InvalidInput, match=f"{tensor_file('worker_0', 10)} .* is damaged"):
        source_of(saved).read("worker_0", 10, "w")


def test_a_header_of_exabytes_is_refused_before_it_is_read(saved):
    file = saved / tensor_file("worker_0", 10)
    file.write_bytes((1 << 63).to_bytes(8, "little") + b"{}")
    with pytest.raises(InvalidInput, match="is damaged"):
        source_of(saved).read("worker_0", 10, "w")


def test_a_removed_store_is_named(saved):
    source = source_of(saved)
    shutil.rmtree(saved)
    with pytest.raises(MissingCollectionFiles, match=str(saved)):
        source.read("worker_0", 10, "w")
    with pytest.raises(MissingCollectionFiles, match=str(saved)):
        source.refresh()


def test_a_store_replaced_by_another_runs_is_named(saved):
    source = source_of(saved)
    shutil.rmtree(saved)
    FolderSink(saved).close({})
    with pytest.raises(MissingCollectionFiles, match=f"{saved} were removed, or replaced"):
        source.refresh()


def test_what_is_no_manifest_is_left_alone(saved):
    (saved / "manifest" / "notes.txt").write_text("mine")
    (saved / "manifest" / "worker_0" / "000000.jsonl.bak").write_text("mine")
    assert list(source_of(saved).runs()) == ["worker_0"]


def test_what_cannot_be_read_is_named(saved):
    loop = saved / "manifest/worker_0/000001.jsonl"
    loop.symlink_to(loop)
    with pytest.raises(InvalidInput, match=r"000001\.jsonl could not be read: Too many levels"):
        source_of(saved)
    loop.unlink()
    (saved / tensor_file("worker_0", 10)).unlink()
    (saved / tensor_file("worker_0", 10)).mkdir()
    with pytest.raises(InvalidInput, match=f"{tensor_file('worker_0', 10)} could not be read: Is a directory"):
        source_of(saved).read("worker_0", 10, "w")


def test_a_removed_file_is_named(saved):
    source = source_of(saved)
    (saved / tensor_file("worker_0", 10)).unlink()
    with pytest.raises(TensorUnavailableForStep, match=tensor_file("worker_0", 10)):
        source.read("worker_0", 10, "w")


def test_it_ends_when_every_worker_has(tmp_path):
    sinks = [FolderSink(tmp_path, worker=f"worker_{rank}", workers=2) for rank in (0, 1)]
    for number in range(6):
        sinks[number % 2].write(step(number, {"w": torch.tensor([float(number)])}))
    sinks[0].close({"TRAIN": 4})
    source = source_of(tmp_path)
    assert not source.state().ended
    sinks[1].close({"TRAIN": 5, "EVAL": 2})
    assert source.refresh()
    assert source.state().ended
    assert source.state().passed == {"TRAIN": 5, "EVAL": 2}
    assert {worker: [one.step for one in source.steps(worker)] for worker in source.runs()} == {
        "worker_0": [0, 2, 4],
        "worker_1": [1, 3, 5],
    }
    assert source.read("worker_1", 3, "w").tolist() == [3.0]


def test_it_ends_when_the_job_is_marked_as_over(tmp_path):
    sink = FolderSink(tmp_path, workers=2)
    sink.write(step(0))
    sink.close({})
    source = source_of(tmp_path)
    assert not source.state().ended
    (tmp_path / END_OF_JOB).write_text("{}")
    assert source.refresh()
    assert source.state().ended
    sink = FolderSink(tmp_path, workers=2)
    sink.write(step(1))
    sink.close({})
    source.refresh()
    assert not source.state().ended


def test_a_resumed_training_is_not_over(saved):
    FolderSink(saved).write(step(30))
    source = source_of(saved)
    deadline = threading.Event()
    while len(source.steps("worker_0")) < 4 and not deadline.wait(0.01):
        source.refresh()
    assert not source.state().ended


def test_a_step_saved_anew_gives_the_new_arrays(saved):
    source = source_of(saved)
    assert source.read("worker_0", 20, "w")[0, 0] == 20
    sink = FolderSink(saved)
    sink.write(step(20, {"w": torch.full((4,), -1.0)}))
    sink.close({})
    source.refresh()
    assert source.read("worker_0", 20, "w").tolist() == [-1.0] * 4
    last = source.steps("worker_0")[-1]
    assert source.layout("worker_0", last.layout).tensors[0].shape == (4,)


def test_a_reader_beside_the_writer_never_sees_a_step_without_its_file(tmp_path):
    done = threading.Event()

    def write():
        sink = FolderSink(tmp_path)
        for number in range(300):
            sink.write(step(number, {"w": torch.full((50,), float(number))}, reductions={"g": {"min": float(number)}}))
        sink.close({})
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    source, seen = FolderSource(LocalFiles(tmp_path)), 0
    while not source.state().ended:
        source.refresh()
        for one in source.steps("worker_0")[seen:]:
            assert (source.read("worker_0", one.step, "w") == one.step).all()
            assert source.read("worker_0", one.step, REDUCTIONS).tolist() == [one.step]
            seen += 1
    writer.join()
    assert seen == 300


def test_trials_read_without_torch(tmp_path, saved):
    code = (
        "import sys; from sagehound.debug.store.open import open_source\n"
        f"source = open_source({str(saved)!r}); source.refresh()\n"
        "print(float(source.read('worker_0', 20, 'w').sum()))\n"
        "print(sorted({'torch', 'boto3', 'tensorboardX'} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["120.0", "[]"]


def test_bfloat16_keeps_its_value(tmp_path):
    values = torch.tensor([1.0, -0.0078125, 3.3895e38, float("nan"), float("-inf")], dtype=torch.bfloat16)
    sink = FolderSink(tmp_path)
    sink.write(step(0, {"w": values}))
    sink.close({})
    read = source_of(tmp_path).read("worker_0", 0, "w")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, values.float().numpy())
