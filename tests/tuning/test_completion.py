"""When a tuning job has found enough."""

from sagehound.tuning.completion import Completion
from sagehound.tuning.trial import Trial


def trials(*objectives: float | None) -> list[Trial]:
    return [Trial(number=number, values={}, objective=each) for number, each in enumerate(objectives, 1)]


def test_nothing_wanted_is_never_complete():
    assert Completion(maximize=True).reason(trials(*[0.5] * 100)) == ""


def test_the_target_is_reached():
    wanted = Completion(maximize=True, target=0.9)
    assert wanted.reason(trials(0.5, 0.89)) == ""
    assert wanted.reason(trials(0.5, 0.9, 0.1)) == "The objective 0.9 has reached the target 0.9"
    assert Completion(maximize=False, target=0.9).reason(trials(0.95, 0.8)).startswith("The objective 0.8")


def test_so_many_trials_did_not_improve_by_one_per_cent():
    wanted = Completion(maximize=True, most_not_improving=3)
    assert wanted.reason(trials(0.5, 0.504, None, 0.505)) == ""
    assert "last 3 training jobs" in wanted.reason(trials(0.5, 0.504, None, 0.505, 0.4))
    assert wanted.not_improving(trials(0.5, 0.504, 0.506, 0.4)) == 1


def test_a_search_converges():
    wanted = Completion(maximize=False, on_convergence=True)
    assert "converged" in wanted.reason(trials(*[1.0] * 30))
    assert wanted.reason(trials(*[1.0 / n for n in range(1, 31)])) == ""


def test_trials_that_run_or_are_of_earlier_searches_count_for_nothing():
    told = [
        Trial(number=0, values={}, objective=1.0),
        Trial(number=1, values={}, objective=None, running=True, curve=(1.0,)),
    ]
    assert Completion(maximize=True, target=0.9).reason(told) == ""
