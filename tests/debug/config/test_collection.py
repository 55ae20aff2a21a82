import pytest

from sagehound.debug.config.collection import Collection
from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.debug.config.save_config import SaveConfig, SaveConfigMode
from sagehound.debug.modes import ModeKeys
from sagehound.errors import DebuggerTypeError, DebuggerValueError


def test_it_holds_what_a_regex_finds_and_what_is_named():
    collection = Collection("some", ["conv[12]"], {"fc.weight"})
    collection.include("relu", ["tanh", "sigmoid"])
    collection.add_tensor_name("scalar/f1")
    names = ["a.conv2.b", "fc.weight", "sigmoid_output_0", "scalar/f1", "conv3", "fc.weight2"]
    assert [collection.matches(name) for name in names] == [True, True, True, True, False, False]


def test_gradients_and_optimizer_variables_belong_to_training():
    every = SaveConfig(save_interval=1)
    for name in ("gradients", "optimizer_variables"):
        due = [Collection(name, save_config=every).due(mode, 3) for mode in ModeKeys]
        assert due == [True, False, False, True]
    assert all(Collection("weights", save_config=every).due(mode, 3) for mode in ModeKeys)


def test_a_save_configuration_may_be_a_table_of_modes():
    collection = Collection("some", save_config={ModeKeys.EVAL: SaveConfigMode(save_interval=7)})
    assert collection.due(ModeKeys.EVAL, 7)
    assert not collection.due(ModeKeys.TRAIN, 7)


def test_modules_become_regexes_once_their_names_are_known():
    collection, layer, later = Collection("layers"), object(), object()
    collection.add_module_tensors(layer, inputs=True)
    collection.add_module_tensors(later)
    collection.bind({layer: "block.0", object(): "other"})
    matched = ["block.0_input_0", "block.0_output_1", "block.00_output_0", "a.block.0_output_0", "other_output_0"]
    assert [collection.matches(name) for name in matched] == [True, True, False, False, False]
    assert list(collection.modules) == [later]


def test_json_and_back():
    collection = Collection("some", "relu", ["a"], ReductionConfig(["min"]), SaveConfig(save_interval=3), False)
    assert Collection.from_json(collection.to_json()) == collection
    assert Collection.from_json(Collection("bare").to_json()) == Collection("bare")


def test_bad_arguments_are_named():
    with pytest.raises(
        DebuggerValueError, match=r"include_regex '\(relu' of collection 'some' is no regular expression"
    ):
        Collection("some", ["(relu"])
    with pytest.raises(DebuggerTypeError, match="collection 'some' can include a regex or a list of them, not 3"):
        Collection("some").include(3)
    with pytest.raises(DebuggerTypeError, match="tensor_names 'a' is no list"):
        Collection("some", tensor_names="a")
    with pytest.raises(DebuggerTypeError, match="reduction_config 'min' of collection 'some'"):
        Collection("some", reduction_config="min")
    with pytest.raises(DebuggerTypeError, match="save_config 3"):
        Collection("some", save_config=3)
