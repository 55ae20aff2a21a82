import math
from pathlib import Path

import pytest
import torch
from tensorboardX.proto.event_pb2 import Event

from sagehound.debug.hook import Hook
from sagehound.debug.modes import modes
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.store.sink import SavedStep
from sagehound.debug.store.tensorboard import TensorBoardExport
from sagehound.debug.store.writer import FolderSink


def events(folder):
    """Every (tag, step, value) in the event files of a folder."""
    found = []
    for path in sorted(Path(folder).iterdir()):
        data, at = path.read_bytes(), 0
        while at < len(data):
            length = int.from_bytes(data[at : at + 8], "little")
            event = Event.FromString(data[at + 12 : at + 12 + length])
            found += [(value.tag, event.step, value) for value in event.summary.value]
            at += 16 + length
    return found


def saved(number, mode="TRAIN", loss=0.5, **arrays):
    infos = [
        TensorInfo(name=name, kind="weight", collections=("all", "biases", "weights") if name != "plain" else ())
        for name in arrays
    ]
    loss_info = TensorInfo(name="CrossEntropyLoss_output_0", kind="loss", saved="scalar", collections=("losses",))
    return SavedStep(
        step=number,
        mode=mode,
        mode_step=number,
        tensors=(*infos, loss_info),
        arrays=arrays,
        scalars={"CrossEntropyLoss_output_0": loss},
    )


def test_scalars_and_histograms_by_mode(tmp_path):
    board = tmp_path / "board"
    sink = FolderSink(tmp_path / "tensors", export=TensorBoardExport(board, without=("biases",)))
    weight = torch.tensor([[-1.0, 0.0], [0.5, 2.0]])
    sink.write(saved(0, loss=0.75, w=weight, plain=weight))
    sink.write(saved(10, mode="EVAL", loss=0.25))
    sink.write(saved(20, loss=float("nan"), w=weight.bfloat16()))
    sink.close({})
    assert sorted(path.name for path in board.iterdir()) == ["EVAL", "TRAIN"]
    train = events(board / "TRAIN")
    assert [(tag, step) for tag, step, _ in train] == [
        ("weights/w", 0),
        ("CrossEntropyLoss_output_0", 0),
        ("weights/w", 20),
        ("CrossEntropyLoss_output_0", 20),
    ]
    histogram = train[0][2].histo
    assert (histogram.min, histogram.max, histogram.num, histogram.sum) == (-1, 2, 4, 1.5)
    assert sum(histogram.bucket) == 4
    assert train[1][2].simple_value == 0.75
    assert math.isnan(train[3][2].simple_value)
    assert [(tag, step, value.simple_value) for tag, step, value in events(board / "EVAL")] == [
        ("CrossEntropyLoss_output_0", 10, 0.25)
    ]


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor([True, False]),
        torch.tensor([1j]),
        torch.zeros(0),
        torch.tensor([float("nan"), float("inf")]),
    ],
)
def test_what_has_no_histogram_is_left_out(tmp_path, tensor):
    export = TensorBoardExport(tmp_path)
    export.write(saved(0, w=tensor), 1.0)
    export.close()
    assert [tag for tag, _, _ in events(tmp_path / "TRAIN")] == ["CrossEntropyLoss_output_0"]


def test_what_is_not_finite_is_left_out_of_a_histogram(tmp_path):
    export = TensorBoardExport(tmp_path)
    export.write(saved(0, w=torch.tensor([1.0, float("nan"), 3.0, float("-inf")])), 1.0)
    export.close()
    histogram = events(tmp_path / "TRAIN")[0][2].histo
    assert (histogram.min, histogram.max, histogram.num) == (1, 3, 2)


def test_a_hook_exports_when_it_is_asked_to(tmp_path):
    hook = Hook(out_dir=tmp_path / "tensors", export_tensorboard=True, include_collections=["weights", "losses"])
    network, loss = torch.nn.Linear(3, 2), torch.nn.MSELoss()
    hook.get_collection("weights").save_histogram = True
    hook.register_module(network)
    hook.register_loss(loss)
    hook.set_mode(modes.TRAIN)
    loss(network(torch.ones(4, 3)), torch.zeros(4, 2)).backward()
    hook.close()
    written = {tag for tag, _, _ in events(tmp_path / "tensors" / "tensorboard" / "TRAIN")}
    assert written == {"weights/Linear_weight", "MSELoss_output_0"}
