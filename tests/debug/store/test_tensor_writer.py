import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sagehound.debug.store import header
from sagehound.debug.store.tensor_writer import pieces, write_file

DTYPES = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
    torch.complex64,
]


def read_back(data, name):
    head = header.decode(data)
    entry = head.entries[name]
    begin, end = (head.start + offset for offset in entry.data_offsets)
    return header.array(data[begin:end], entry, name in head.complex128)


def written(tensors):
    return b"".join(bytes(memoryview(piece)) for piece in pieces(tensors))


@st.composite
def tensors(draw):
    dtype = draw(st.sampled_from([*DTYPES, torch.complex128]))
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    size = torch.empty(0, dtype=dtype).element_size() * int(np.prod(shape, dtype=int))
    raw = draw(st.binary(min_size=size, max_size=size))
    if dtype is torch.bool:
        raw = bytes(byte & 1 for byte in raw)
    tensor = torch.tensor(list(raw), dtype=torch.uint8).view(dtype).reshape(shape)
    return tensor.movedim(0, -1) if len(shape) > 1 and draw(st.booleans()) else tensor


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.text(min_size=1, max_size=20).filter(lambda name: name != "__metadata__"), tensors(), max_size=6)
)
def test_every_type_and_shape_comes_back_bit_by_bit(saved):
    data = written(saved)
    for name, tensor in saved.items():
        read = read_back(data, name)
        wide = tensor.dtype in (torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2)
        expected = (tensor.float() if wide else tensor).contiguous().numpy()
        assert (read.shape, read.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_array_equal(read, expected)
        if not wide:
            assert read.tobytes() == expected.tobytes()
    plain = {name: tensor for name, tensor in saved.items() if tensor.dtype is not torch.complex128}
    theirs = safetensors.torch.load(data)
    assert theirs.keys() == saved.keys()
    for name, tensor in plain.items():
        assert theirs[name].dtype is tensor.dtype
        assert (
            theirs[name].reshape(-1).view(torch.uint8).tolist()
            == tensor.contiguous().reshape(-1).view(torch.uint8).tolist()
        )


def test_complex128_is_two_numbers_to_other_readers():
    data = written({"c": torch.tensor([1 + 2j, 3 - 4j], dtype=torch.complex128)})
    assert safetensors.torch.load(data)["c"].tolist() == [[1, 2], [3, -4]]
    assert read_back(data, "c").tolist() == [1 + 2j, 3 - 4j]


def test_lazy_conjugates_and_negatives_are_written_as_they_read():
    number = torch.tensor([1 + 2j])
    data = written({"conjugate": number.conj(), "negative": number.conj().imag})
    assert read_back(data, "conjugate").tolist() == [1 - 2j]
    assert read_back(data, "negative").tolist() == [-2]


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_a_type_that_the_format_lacks_is_widened():
    rare = torch.tensor([0.5, -2.0]).to(torch.float8_e4m3fnuz)
    quantized = torch.quantize_per_tensor(torch.tensor([0.5, -2.0]), 0.5, 0, torch.qint8)
    data = written({"rare": rare, "quantized": quantized})
    assert read_back(data, "rare").tolist() == [0.5, -2.0]
    assert read_back(data, "quantized").tolist() == [0.5, -2.0]


def test_gradients_are_not_in_the_way():
    assert read_back(written({"w": torch.ones(2, requires_grad=True)}), "w").tolist() == [1, 1]


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_all_values_of_float8(dtype):
    every = torch.arange(256, dtype=torch.uint8).view(dtype)
    np.testing.assert_array_equal(read_back(written({"all": every}), "all"), every.float().numpy())


def test_nothing_is_copied_of_what_is_contiguous():
    tensor = torch.zeros(1000)
    view = pieces({"w": tensor})[1]
    tensor[0] = 1.0
    assert bytes(memoryview(view)[:4]) == np.float32(1).tobytes()


def test_a_kernel_that_takes_a_part_is_asked_again(tmp_path, monkeypatch):
    import os

    whole = os.writev
    # 7 bytes a call, as if the disk were all but full.
    monkeypatch.setattr(os, "writev", lambda descriptor, buffers: whole(descriptor, [memoryview(buffers[0])[:7]]))
    buffers = pieces({"a": torch.arange(5.0), "b": torch.arange(3), "none": torch.zeros(0)})
    write_file(tmp_path / "file", buffers)
    assert (tmp_path / "file").read_bytes() == b"".join(bytes(memoryview(piece)) for piece in buffers)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.complex128])
def test_a_tensor_of_several_names_is_written_once(dtype):
    passed, equal = torch.ones(3, 4, dtype=dtype), torch.ones(3, 4, dtype=dtype)
    file = b"".join(pieces({"a_output_0": passed, "equal": equal, "b_input_0": passed}))
    assert safetensors.torch.load(file).keys() == {"a_output_0", "equal"}
    head = header.decode(file)
    assert len(file) - head.start == 2 * passed.nbytes
    assert head.entries["b_input_0"] == head.entries["a_output_0"] != head.entries["equal"]
    assert ("b_input_0" in head.complex128) == (dtype is torch.complex128)


def test_a_name_that_stands_for_nothing_is_damage():
    with pytest.raises(header.Damaged, match="b is the same as a, which is not there"):
        header.decode(header.encode({}, same={"b": "a"}))
