from pathlib import Path

import pytest
import torch

from sagehound.debug.rules.registry import build
from sagehound.debug.rules.similar_across_runs import SimilarAcrossRuns
from sagehound.debug.trial import Trial
from sagehound.errors import MissingCollectionFiles
from tests.debug.rules.recorded import LOSS, at_each_step, trial_of
from tests.debug.rules.trained import clusters, network, trained


def run(folder: Path, lr: float) -> Trial:
    model = network()
    return trained(folder, model, clusters(3), optimizer=torch.optim.SGD(model.parameters(), lr=lr))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "other"
    run(folder, 0.1)
    return folder


def test_a_run_with_the_same_numbers_is_found_and_another_is_not(other: Path, tmp_path: Path) -> None:
    rule = build("SimilarAcrossRuns", {"other_trials": str(other), "collection_names": "losses"})
    found = at_each_step(rule, run(tmp_path / "same", 0.1))
    assert [(each.tensor, each.step) for each in found] == [(LOSS.name, 1), (LOSS.name, 2)]
    assert str(other) in found[0].message
    assert at_each_step(rule, run(tmp_path / "different", 0.5)) == []


def test_the_guides_name_for_one_other_trial_and_the_default_choice(other: Path, tmp_path: Path) -> None:
    rule = build("SimilarAcrossRuns", {"other_trial": str(other)})
    tensors = {each.tensor for each in at_each_step(rule, run(tmp_path / "same", 0.1))}
    assert {LOSS.name, "Sequential_0.weight", "Sequential_2.bias"} <= tensors
    assert not any(name.startswith("gradient/") for name in tensors)


def test_tolerances_are_parameters(other: Path, tmp_path: Path) -> None:
    trial = run(tmp_path / "close", 0.1001)
    given = {"other_trials": str(other), "tensor_regex": "0.weight"}
    assert at_each_step(build("SimilarAcrossRuns", given), trial) == []
    assert at_each_step(build("SimilarAcrossRuns", {**given, "atol": "0.1"}), trial)


def test_what_is_missing_is_named(other: Path) -> None:
    trial = trial_of({LOSS: 1.0})
    assert "other_trials was not given" in SimilarAcrossRuns().unable(trial)
    assert "none of the chosen tensors" in SimilarAcrossRuns((str(other),), tensor_regex=("nothing",)).unable(trial)
    assert SimilarAcrossRuns((str(other),)).unable(trial) == ""


def test_a_place_that_holds_no_trial_is_an_error_that_names_it(tmp_path: Path) -> None:
    rule = SimilarAcrossRuns((str(tmp_path / "nowhere"),))
    with pytest.raises(MissingCollectionFiles, match="nowhere"):
        at_each_step(rule, trial_of({LOSS: 1.0}, {LOSS: 1.0}))
