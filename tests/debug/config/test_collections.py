import pytest

from sagehound.debug.config.collection import Collection
from sagehound.debug.config.collections import BUILT_IN, Collections
from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.modes import ModeKeys
from sagehound.errors import DebuggerTypeError, DebuggerValueError, InvalidCollectionConfiguration

HOOK = SaveConfig(save_interval=10)


def names(collections):
    return sorted(collection.name for collection in collections)


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        ("Net_conv1.weight", ["weights"]),
        ("Net_conv1.bias", ["biases"]),
        ("gradient/Net_conv1.weight", ["gradients"]),
        ("CrossEntropyLoss_output_0", ["losses"]),
        ("CrossEntropyLoss_input_0", []),
        ("my_loss_output_0", ["losses"]),
        ("optimizer/Net_conv1.weight/momentum_buffer", ["optimizer_variables"]),
        ("relu_output_0", []),
    ],
)
def test_what_the_built_in_collections_hold(tensor, expected):
    assert names(Collections().of(tensor)) == sorted(["all", *expected])


def test_losses_are_saved_whatever_is_asked_for():
    assert names(Collections().select([], HOOK, None)) == ["losses"]
    assert names(Collections().select(["weights"], HOOK, None)) == ["losses", "weights"]


def test_all_saves_every_collection_with_its_own_configuration():
    collections = Collections([Collection("relus", "relu", save_config=SaveConfig(save_interval=3))])
    saved = {one.name: one for one in collections.select(["all"], HOOK, None)}
    assert sorted(saved) == sorted([*BUILT_IN, "relus"])
    assert saved["relus"].due(ModeKeys.TRAIN, 3)
    assert not saved["all"].due(ModeKeys.TRAIN, 3)


def test_what_a_collection_leaves_open_is_the_hooks():
    reductions = ReductionConfig(["min"])
    collections = Collections([Collection("own", "a", reduction_config=ReductionConfig(["max"]))])
    saved = {one.name: one for one in collections.select(["own", "weights"], HOOK, reductions)}
    assert saved["own"].reduction_config.names == ("max",)
    assert saved["weights"].reduction_config is reductions
    assert saved["losses"].reduction_config.saves_raw, "a loss is not reduced"
    assert all(one.save_config == HOOK for one in saved.values())


def test_a_collection_that_is_added_takes_the_place_of_the_one_of_its_name():
    collections = Collections()
    collections.add(Collection("weights", "kernel"))
    collections.add("relus")
    collections.get("relus").include("relu")
    assert names(collections.of("fc.weight")) == ["all"]
    assert names(collections.of("relu_output_0")) == ["all", "relus"]


def test_a_collection_that_holds_nothing_is_told_and_the_others_are_saved():
    collections = Collections()
    collections.get("relus")
    asked = ["weights", "relus", "wieghts"]
    told = [str(problem) for problem in collections.problems(asked)]
    assert [text.split("'")[1] for text in told] == ["relus", "wieghts"]
    assert all("include_regex" in text and "gradients" in text for text in told)
    assert all(isinstance(problem, InvalidCollectionConfiguration) for problem in collections.problems(asked))
    assert names(collections.select(asked, HOOK, None)) == ["losses", "weights"]


def test_a_collection_of_modules_is_no_problem():
    collections = Collections()
    collections.get("layers").add_module_tensors(object())
    assert collections.problems(["layers"]) == ()


def test_a_missing_one_is_named_where_it_shall_not_be_made():
    with pytest.raises(DebuggerValueError, match="no collection 'relus'; there are all, default"):
        Collections().get("relus", create=False)
    with pytest.raises(DebuggerTypeError, match="3 is no Collection"):
        Collections().add(3)
