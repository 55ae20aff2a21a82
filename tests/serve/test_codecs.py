"""Arrays in and out, and what is refused."""

import io
import json

import numpy as np
import pytest

from sagehound.errors import InvalidInput, Unsupported
from sagehound.serve import codecs


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_both_ways(order: str) -> None:
    array = np.asarray(np.arange(6, dtype=np.int16).reshape(2, 3), order=order)
    decoded = codecs.decode(bytearray(_npy(array)), "application/x-npy")
    assert (decoded.tolist(), decoded.dtype) == (array.tolist(), np.int16)
    body, kind = codecs.encode(decoded, "application/x-npy, application/json")
    assert (np.load(io.BytesIO(body)).tolist(), kind) == (array.tolist(), "application/x-npy")


def test_npy_that_claims_more_than_it_holds() -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n"
    body = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with pytest.raises(InvalidInput, match="not an NPY"):
        codecs.decode(body, "application/x-npy")


def test_npy_of_objects_is_never_unpickled() -> None:
    with pytest.raises(InvalidInput, match="never unpickled"):
        codecs.decode(_npy(np.array([{}], dtype=object)), "application/x-npy")


def test_csv_of_one_line_is_one_axis() -> None:
    assert codecs.decode("1,2\n", "text/csv; header=absent").shape == (2,)
    assert codecs.decode("1,2\n3,4", "text/csv").shape == (2, 2)
    with pytest.raises(InvalidInput, match="empty"):
        codecs.decode(" ", "text/csv")


def test_json_in() -> None:
    assert codecs.decode(b"[[1, 2]]", "application/json").tolist() == [[1, 2]]
    assert codecs.decode('{"inputs": ["a"]}', "application/json").tolist() == ["a"]
    with pytest.raises(InvalidInput, match="'url'"):
        codecs.decode('{"url": "x"}', "application/json")
    with pytest.raises(InvalidInput, match="UTF-8"):
        codecs.decode(b"\xff", "application/json")


def test_json_out_takes_what_models_give() -> None:
    body, kind = codecs.encode({"p": np.float32(0.5), "k": np.arange(2), "s": {3, 1}}, "*/*")
    assert (json.loads(body), kind) == ({"p": 0.5, "k": [0, 1], "s": [1, 3]}, "application/json")


def test_unknown_types_name_the_known_ones() -> None:
    with pytest.raises(Unsupported, match="application/x-npy"):
        codecs.decode(b"", "text/html")
    with pytest.raises(Unsupported, match="text/csv"):
        codecs.encode([1], "text/html")
