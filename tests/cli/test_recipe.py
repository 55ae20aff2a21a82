"""What is known of a training script before it runs."""

import pytest

from sagehound.cli.ranges import read_ranges
from sagehound.cli.recipe import (
    HYPERPARAMETERS,
    METRICS,
    RANGES,
    VALIDATION_SHARE,
    built_in,
    check_ranges,
    own_script,
)
from sagehound.errors import InvalidInput, NotFound
from sagehound.vision.options import parse

FOLDERS = {"data_dir", "test_dir", "validation_dir", "model_dir", "output_data_dir", "feature_cache", "image_cache"}


def test_the_built_in_scripts_hyperparameters_are_those_of_its_options(tmp_path):
    options = set(parse(["--data", str(tmp_path)], {}).as_dict())
    assert options - FOLDERS == set(HYPERPARAMETERS)


@pytest.mark.parametrize("name", sorted(set(HYPERPARAMETERS) - {"model", "weights"}))
def test_each_is_an_option_with_the_same_bounds(name, tmp_path, capsys):
    allowed = HYPERPARAMETERS[name]
    good = allowed[0] if isinstance(allowed[0], str) else allowed[0] or min(1, allowed[1])
    assert parse(["--data", str(tmp_path), f"--{name}", str(good)], {})
    with pytest.raises(SystemExit):
        parse(["--data", str(tmp_path), f"--{name}", "-1"], {})
    with pytest.raises(InvalidInput):
        check_ranges(read_ranges([f"{name}=-1,{good}"]))


def test_the_usual_ranges_are_allowed():
    check_ranges(read_ranges(RANGES))


@pytest.mark.parametrize(
    ("text", "words"),
    (
        ("learning_rate=0.1:0.2", "no hyperparameter 'learning_rate'; it has augment, batch_size"),
        ("lr=0:0.1", "lr is 0; allowed is above 0"),
        ("epochs=0:3", "epochs is 0; allowed is 1 or more"),
        ("epochs=1.5:3", "give a whole number"),
        ("crop_pct=0.5:1.5", "at most 1"),
        ("finetune=head,tail", "allowed are head, all"),
    ),
)
def test_a_range_that_the_built_in_script_cannot_take_is_refused(text, words):
    with pytest.raises(InvalidInput, match=words):
        check_ranges(read_ranges([text]))


def folder(tmp_path, *names):
    for name in names:
        (tmp_path / name / "cat").mkdir(parents=True)
    return tmp_path


def test_what_is_validated_on_is_searched_for(tmp_path):
    assert built_in(folder(tmp_path, "train", "test"), "", "", early=False).objective == "test loss"
    recipe = built_in(folder(tmp_path, "validation"), "", "", early=True)
    assert (recipe.objective, recipe.maximize) == ("validation loss", False)
    assert built_in(tmp_path, "validation accuracy", "", early=False).maximize
    assert built_in(tmp_path, "validation accuracy", "minimize", early=False).maximize is False


@pytest.mark.parametrize("names", (("train", "test"), ("cat", "dog"), ("train", "validation")))
def test_an_objective_on_validation_has_photos_held_out_where_there_are_none(tmp_path, names):
    recipe = built_in(folder(tmp_path, *names), "", "", early=True)
    assert (recipe.objective, recipe.static) == ("validation loss", {"validation_share": VALIDATION_SHARE})
    assert built_in(tmp_path, "validation accuracy", "", early=False).static == recipe.static
    assert built_in(tmp_path, "", "", early=False).static == {}


def test_early_stopping_needs_something_to_look_at(tmp_path):
    assert built_in(folder(tmp_path, "train", "test", "validation"), "", "", early=True).static == {}
    with pytest.raises(InvalidInput, match="leave --objective out, or choose validation loss"):
        built_in(tmp_path, "test loss", "", early=True)
    with pytest.raises(InvalidInput, match="choose validation loss, validation accuracy, test loss"):
        built_in(tmp_path, "loss", "", early=False)


def test_the_metrics_are_found_in_the_scripts_log():
    import re

    from sagehound.vision.metrics import Evaluation

    found = Evaluation(0.31, 9, 10, [[5, 0], [1, 4]])
    for name, regex in METRICS.items():
        line = found.line("Test set" if name.startswith("test") else "Validation set")
        assert re.search(regex, line).group(1) == ("90.00" if name.endswith("accuracy") else "0.3100")


def test_a_script_of_ones_own_says_what_it_reports(tmp_path):
    script = tmp_path / "train.py"
    with pytest.raises(NotFound, match="no script"):
        own_script(script, ["loss=a(.)"], "", "", None)
    script.write_text("")
    recipe = own_script(script, ["val_acc=acc: ([0-9.]+)", "loss=loss: ([0-9.]+)"], "", "", None)
    assert (recipe.objective, recipe.maximize, recipe.built_in) == ("val_acc", True, False)
    for metrics, objective, goal, words in (
        ([], "", "", "needs --metric"),
        (["loss"], "", "", "is no metric"),
        (["loss=("], "", "", "no regular expression"),
        (["loss=loss"], "", "", "has 0 groups"),
        (["loss=(.)"], "acc", "", "choose loss"),
        (["loss=(.)"], "", "least", "allowed are minimize and maximize"),
    ):
        with pytest.raises(InvalidInput, match=words):
            own_script(script, metrics, objective, goal, None)
    with pytest.raises(InvalidInput, match="is not in"):
        own_script(script, ["loss=(.)"], "", "", tmp_path / "elsewhere")
