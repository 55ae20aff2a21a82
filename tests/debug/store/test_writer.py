import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import weakref
from pathlib import Path

import pytest
import torch

from sagehound.debug.store.files import LocalFiles
from sagehound.debug.store.places import TENSORS, manifest_file, tensor_file
from sagehound.debug.store.reader import FolderSource
from sagehound.debug.store.records import Model
from sagehound.debug.store.tensor_writer import write_file
from sagehound.debug.store.writer import FolderSink
from sagehound.errors import DebuggerError, DebuggerRuntimeError
from tests.debug.store.examples import LOSS, step


def source_of(folder):
    source = FolderSource(LocalFiles(folder))
    source.refresh()
    return source


def steps_of(folder):
    return [one.step for one in source_of(folder).steps("worker_0")]


class SlowDisk:
    """Writes a file once it is let to."""

    def __init__(self):
        self.go = threading.Semaphore(0)
        self.reached = threading.Event()

    def __call__(self, path, buffers):
        self.reached.set()
        assert self.go.acquire(timeout=30)
        write_file(path, buffers)


def test_a_step_with_numbers_only_has_no_file(tmp_path):
    sink = FolderSink(tmp_path)
    sink.write(step(0))
    sink.close({})
    assert [path.name for path in tmp_path.iterdir()] == ["manifest"]
    assert not source_of(tmp_path).steps("worker_0")[0].file


def test_a_sink_that_saved_nothing_still_tells_that_it_ended(tmp_path):
    FolderSink(tmp_path).close({"GLOBAL": 7})
    state = source_of(tmp_path).state()
    assert (state.ended, state.passed) == (True, {"GLOBAL": 7})


def test_nothing_is_made_before_something_is_saved(tmp_path):
    FolderSink(tmp_path / "tensors")
    assert list(tmp_path.iterdir()) == []


def test_close_is_idempotent_and_then_nothing_more_is_taken(tmp_path):
    sink = FolderSink(tmp_path)
    sink.write(step(0))
    sink.close({"TRAIN": 0})
    sink.close({"TRAIN": 9})
    with pytest.raises(DebuggerRuntimeError, match="closed"):
        sink.write(step(1))
    assert source_of(tmp_path).state().passed == {"TRAIN": 0}


def test_a_slow_disk_slows_the_training_and_nothing_is_dropped(tmp_path, capsys):
    disk = SlowDisk()
    sink = FolderSink(tmp_path, limit_bytes=8000, write_file=disk)
    written = []

    def train():
        for number in range(12):
            sink.write(step(number, {"w": torch.full((250,), float(number))}))
            written.append(number)

    training = threading.Thread(target=train)
    training.start()
    assert disk.reached.wait(30)
    for _ in range(12):
        assert len(written) <= 12
        disk.go.release()
    training.join(30)
    sink.close({})
    assert steps_of(tmp_path) == list(range(12))
    said = capsys.readouterr().err
    assert said.count("slower than the training") == 1
    assert str(tmp_path) in said
    assert "save_interval" in said


def test_no_more_waits_than_the_limit(tmp_path):
    disk = SlowDisk()
    sink = FolderSink(tmp_path, limit_bytes=8000, write_file=disk)
    blocked = threading.Event()

    def train():
        for number in range(4):
            sink.write(step(number, {"w": torch.zeros(250)}))
        blocked.set()
        sink.write(step(4, {"w": torch.zeros(250)}))

    training = threading.Thread(target=train)
    training.start()
    assert blocked.wait(30)
    training.join(0.1)
    assert training.is_alive()
    for _ in range(5):
        disk.go.release()
    training.join(30)
    assert not training.is_alive()
    sink.close({})
    assert steps_of(tmp_path) == [0, 1, 2, 3, 4]


def test_numbers_alone_do_not_fill_the_memory_either(tmp_path):
    disk = SlowDisk()
    sink = FolderSink(tmp_path, limit_bytes=100_000, write_file=disk)
    written = []

    def train():
        sink.write(step(0, {"w": torch.zeros(8)}))
        for number in range(1, 500):
            sink.write(step(number))
            written.append(number)

    training = threading.Thread(target=train)
    training.start()
    training.join(0.2)
    assert training.is_alive()
    assert len(written) < 200
    disk.go.release()
    training.join(30)
    sink.close({})
    assert steps_of(tmp_path) == list(range(500))


def test_a_written_steps_memory_is_let_go_while_others_wait(tmp_path):
    disk = SlowDisk()
    sink = FolderSink(tmp_path, write_file=disk)
    tensors = [torch.zeros(250) for _ in range(3)]
    alive = [weakref.ref(tensor) for tensor in tensors]
    while tensors:
        sink.write(step(3 - len(tensors), {"w": tensors.pop(0)}))
    disk.go.release()
    for _ in range(2000):
        if alive[0]() is None:
            break
        threading.Event().wait(0.005)
    assert [tensor() is None for tensor in alive] == [True, False, False]
    for _ in range(2):
        disk.go.release()
    sink.close({})
    assert [tensor() is None for tensor in alive] == [True, True, True]


def test_a_step_larger_than_the_limit_is_written_all_the_same(tmp_path):
    sink = FolderSink(tmp_path, limit_bytes=10)
    for number in range(3):
        sink.write(step(number, {"w": torch.zeros(1000)}))
    sink.close({})
    assert steps_of(tmp_path) == [0, 1, 2]


def fails_at(number, error):
    def write(path, buffers):
        nonlocal number
        number -= 1
        if number < 0:
            path.write_bytes(b"half of it")
            raise error
        write_file(path, buffers)

    return write


def write_until_it_is_told(sink, first=0):
    for number in range(first, 10_000):
        sink.write(step(number, {"w": torch.zeros(8)}))
        if number % 100 == 99:
            threading.Event().wait(0.01)
    pytest.fail("the sink never said that it cannot write")


def test_a_full_disk_is_told_once_by_the_next_write(tmp_path):
    sink = FolderSink(tmp_path, write_file=fails_at(3, OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(DebuggerError, match=f"{tmp_path}/tensors/.*: No space left on device"):
        write_until_it_is_told(sink)
    sink.write(step(20_000))
    sink.note(1, "nor this")
    sink.describe(Model())
    sink.close({})
    assert steps_of(tmp_path) == [0, 1, 2]
    assert sorted(path.name for path in (tmp_path / TENSORS).rglob("*") if path.is_file()) == [
        Path(tensor_file("worker_0", number)).name for number in range(3)
    ]


def test_a_full_disk_that_no_write_could_tell_is_said_by_close(tmp_path, capsys):
    sink = FolderSink(tmp_path, write_file=fails_at(0, OSError(errno.ENOSPC, "No space left on device")))
    sink.write(step(0, {"w": torch.zeros(8)}))
    sink.close({})
    assert "No space left on device" in capsys.readouterr().err


def test_a_blocked_training_goes_on_when_the_disk_fails(tmp_path):
    sink = FolderSink(tmp_path, limit_bytes=40, write_file=fails_at(1, OSError(errno.EIO, "Input/output error")))
    with pytest.raises(DebuggerError, match="Input/output error"):
        write_until_it_is_told(sink)


def test_a_file_size_limit_leaves_whole_lines(tmp_path):
    """As a full disk does: the kernel takes a part of what is written, then refuses."""
    code = """
        import resource, sys, time, torch
        from sagehound.debug.store.writer import FolderSink
        from sagehound.errors import DebuggerError
        from tests.debug.store.examples import step
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        sink = FolderSink(sys.argv[1])
        try:
            for number in range(100_000):
                sink.write(step(number))
                if number % 100 == 99:
                    time.sleep(0.01)
        except DebuggerError as error:
            print(error)
        sink.close({})
    """
    said = run_python(code, tmp_path)
    manifest = tmp_path / manifest_file("worker_0", 0)
    assert f"{manifest} could not be written: File too large" in said
    data = manifest.read_bytes()
    assert 0 < len(data) <= 20_000
    assert data.endswith(b"\n")
    assert source_of(tmp_path).state().notes == ()


def test_a_removed_folder_is_told(tmp_path):
    folder = tmp_path / "tensors"
    sink = FolderSink(folder)
    sink.write(step(0, {"w": torch.zeros(8)}))
    reach(folder, 1)
    shutil.rmtree(folder)
    with pytest.raises(DebuggerError, match=f"{folder}.*No such file"):
        write_until_it_is_told(sink, 1)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DebuggerError, match=r"file.*Not a directory"):
        write_until_it_is_told(FolderSink(tmp_path / "file" / "tensors"))


def test_a_tensor_that_cannot_be_written_is_told(tmp_path):
    sink = FolderSink(tmp_path)
    sink.write(step(0))
    sink.write(step(1, {"w": torch.zeros(8, device="meta")}))
    with pytest.raises(DebuggerError, match="can no longer be saved"):
        write_until_it_is_told(sink, 2)
    assert steps_of(tmp_path)[0] == 0


def test_a_forked_child_refuses_once_and_leaves_all_as_it_is(tmp_path):
    sink = FolderSink(tmp_path)
    sink.write(step(0))
    child = os.fork()
    if not child:
        try:
            with pytest.raises(DebuggerRuntimeError, match="forked"):
                sink.write(step(1))
            sink.write(step(2))
            sink.note(2, "from the child")
            sink.close({"TRAIN": 99})
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    sink.write(step(3))
    sink.close({"TRAIN": 3})
    assert steps_of(tmp_path) == [0, 3]
    assert source_of(tmp_path).state().passed == {"TRAIN": 3}


@pytest.mark.parametrize("after", [0.0, 0.01, 0.05])
def test_a_killed_writer_leaves_what_can_be_read_and_gone_on_with(tmp_path, after):
    code = """
        import sys, torch
        from sagehound.debug.store.writer import FolderSink
        from tests.debug.store.examples import step
        sink = FolderSink(sys.argv[1], limit_bytes=100_000)
        print("go", flush=True)
        for number in range(1_000_000):
            sink.write(step(number, {"w": torch.full((300,), float(number))}))
    """
    with start_python(code, tmp_path) as process:
        process.stdout.readline()
        reach(tmp_path, 1)
        threading.Event().wait(after)
        process.send_signal(signal.SIGKILL)
    source = source_of(tmp_path)
    steps = steps_of(tmp_path)
    assert steps == list(range(len(steps)))
    assert not source.state().ended
    for number in steps:
        assert (source.read("worker_0", number, "w") == number).all()
    sink = FolderSink(tmp_path)
    sink.write(step(len(steps), {"w": torch.zeros(3)}))
    sink.close({})
    assert steps_of(tmp_path) == [*steps, len(steps)]
    assert source.refresh()
    assert source.state().ended
    assert source.state().notes == ()
    assert list(tmp_path.rglob("*.part")) == []


def test_a_resuming_writer_cuts_a_torn_line_and_numbers_layouts_anew(tmp_path):
    sink = FolderSink(tmp_path)
    sink.write(step(0, {"w": torch.ones(2)}))
    sink.close({})
    manifest = tmp_path / manifest_file("worker_0", 0)
    whole = manifest.read_bytes()
    manifest.write_bytes(whole + b'{"type":"step","st')
    source = source_of(tmp_path)
    sink = FolderSink(tmp_path)
    sink.write(step(1, {"v": torch.ones(3)}))
    sink.close({})
    assert manifest.read_bytes() == whole
    source.refresh()
    names = [[info.name for info in source.layout("worker_0", one.layout).tensors] for one in source.steps("worker_0")]
    assert names == [["w", LOSS.name], ["v", LOSS.name]]


def test_a_failing_export_leaves_the_tensors(tmp_path, capsys):
    class Export:
        def write(self, step, at):
            raise RuntimeError("no board")

        def close(self):
            raise AssertionError("it was given up")

    sink = FolderSink(tmp_path, export=Export())
    for number in range(3):
        sink.write(step(number))
    sink.close({})
    assert steps_of(tmp_path) == [0, 1, 2]
    assert capsys.readouterr().err.count("no board") == 1


def test_many_tensors_in_one_file(tmp_path):
    arrays = {f"layer{number}": torch.full((number % 3,), float(number)) for number in range(2500)}
    sink = FolderSink(tmp_path)
    sink.write(step(0, arrays))
    sink.close({})
    source = source_of(tmp_path)
    for name, tensor in arrays.items():
        assert source.read("worker_0", 0, name).tolist() == tensor.tolist()


def reach(folder, count):
    """Wait until so many steps can be read."""
    source = FolderSource(LocalFiles(folder))
    for _ in range(2000):
        source.refresh()
        if len(source.steps("worker_0")) >= count:
            return
        threading.Event().wait(0.005)
    pytest.fail(f"{count} steps never came")


def start_python(code, folder):
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-c", textwrap.dedent(code), str(folder)]
    return subprocess.Popen(arguments, env=environment, cwd=root, stdout=subprocess.PIPE, text=True)


def run_python(code, folder):
    with start_python(code, folder) as process:
        said = process.communicate()[0]
    assert process.returncode == 0
    return said
