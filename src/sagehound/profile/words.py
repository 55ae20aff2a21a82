"""Columns of words: a number for each row, and each word once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa


def word_maker(of_key: Sequence[str]) -> Callable[[np.ndarray], pa.DictionaryArray]:
    """Makes a column of words of the rows' keys, where the key `k` stands for the word `of_key[k]`."""
    words = list(dict.fromkeys(of_key))
    places = np.array([words.index(word) for word in of_key], dtype=np.int16)
    known = pa.array(words, type=pa.string())
    return lambda keys: pa.DictionaryArray.from_arrays(pa.array(places[keys]), known)
