import pytest

from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.errors import DebuggerTypeError, DebuggerValueError


def test_names_of_all_four_lists_without_repetition():
    config = ReductionConfig(["min", "mean", "min"], ["max"], ["l1"], ["l2"])
    assert config.names == ("min", "mean", "l1", "abs_max", "abs_l2")


def test_the_words_of_the_json_configuration_and_back():
    words = {"reductions": "min, abs_variance,l1_norm,abs_l2_norm,", "save_raw_tensor": "True"}
    config = ReductionConfig.from_dict(words)
    assert config == ReductionConfig(["min"], ["variance"], ["l1"], ["l2"], save_raw_tensor=True)
    assert ReductionConfig.from_json(config.to_json()) == config


def test_the_whole_tensor_is_saved_when_asked_for_or_when_nothing_else_is():
    assert ReductionConfig().saves_raw
    assert ReductionConfig(["min"], save_raw_tensor=True).saves_raw
    assert not ReductionConfig(["min"]).saves_raw
    assert not ReductionConfig(save_shape=True).saves_raw


@pytest.mark.parametrize("word", ["median", "abs_median", "l3_norm", "abs", "min_norm", "abs_abs_min"])
def test_an_unknown_word_is_named(word):
    with pytest.raises(DebuggerValueError, match=rf"unknown reduction '{word}'; there are min, .*l2_norm, each also"):
        ReductionConfig.from_dict({"reductions": f"min,{word}"})


def test_bad_arguments_are_named():
    with pytest.raises(DebuggerValueError, match="unknown name 'l2' in reductions; there are min, max"):
        ReductionConfig(reductions=["l2"])
    with pytest.raises(DebuggerTypeError, match="norms 'l1' is no list"):
        ReductionConfig(norms="l1")
    with pytest.raises(DebuggerValueError, match="save_raw_tensor 'perhaps' is not allowed: give True or False"):
        ReductionConfig(save_raw_tensor="perhaps")
