import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.proto.tensor_pb2 import TensorProto
from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

from sagehound.debug.store.header import Damaged
from sagehound.debug.store.tfevents import event_tensor

TYPES = {"f4": 1, "f8": 2, "i4": 3, "u1": 4, "i2": 5, "i1": 6, "c8": 8, "i8": 9, "?": 10, "c16": 18, "f2": 19}


def record(array, number, **more):
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=n, name=f"x_{n}") for n in array.shape])
    tensor = TensorProto(dtype=number, tensor_shape=shape, tensor_content=array.tobytes(), **more)
    summary = Summary(value=[Summary.Value(tag="x", tensor=tensor)])
    event = Event(wall_time=1.5, step=3, summary=summary).SerializeToString()
    return len(event).to_bytes(8, "little") + b"\0" * 4 + event + b"\0" * 4


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (2, 3)])
def test_what_protobuf_writes_is_read(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).astype(dtype).reshape(shape)
    read = event_tensor(record(array, TYPES[dtype]))
    assert (read.shape, read.dtype) == (shape, array.dtype.name)
    np.testing.assert_array_equal(read.array(), array)


def test_bfloat16_is_widened():
    read = event_tensor(record(np.array([0x3F80, 0xC000], "<u2"), 14))
    assert read.dtype == "bfloat16"
    assert read.array().tolist() == [1.0, -2.0]


def test_text_comes_as_text():
    read = event_tensor(record(np.zeros((0,)), 7, string_val=[b"one", "zwei, größer".encode()]))
    assert read.array().tolist() == ["one", "zwei, größer"]


def test_a_beginning_tells_type_and_shape():
    whole = record(np.zeros((50, 60), "f4"), 1)
    read = event_tensor(whole[:200], cut=True)
    assert (read.shape, read.dtype) == ((50, 60), "float32")
    with pytest.raises(Damaged):
        event_tensor(whole[:200])
    with pytest.raises(Damaged):
        read.array()


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_do_more_than_be_refused(data, cut):
    try:
        event_tensor(data, cut).array()
    except Damaged:
        return


@given(st.binary(max_size=60), st.integers(0, 100))
def test_no_garbled_tensor_does_more_than_be_refused(garbage, at):
    whole = record(np.zeros((2, 3), "f4"), 1)
    try:
        event_tensor(whole[:at] + garbage + whole[at + len(garbage) :]).array()
    except Damaged:
        return
