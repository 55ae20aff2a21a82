"""What every record has."""

import pytest

from sagehound.errors import IllegalTransition
from sagehound.records.serving import Endpoint, EndpointStatus, Model
from sagehound.records.tags import TagSet
from sagehound.records.training import TrainingJob, TrainingStatus
from sagehound.records.tuning import TuningJob, TuningStatus

STATES = {TrainingJob: TrainingStatus, TuningJob: TuningStatus, Endpoint: EndpointStatus}


def endpoint(status):
    return Endpoint(name="e", created_at=0, modified_at=0, arn="arn", config="c", status=status)


def test_evolve_gives_a_copy():
    before = endpoint(EndpointStatus.CREATING)
    after = before.evolve(status=EndpointStatus.IN_SERVICE, modified_at=1.0)
    assert (before.status, after.status, after.modified_at) == (EndpointStatus.CREATING, EndpointStatus.IN_SERVICE, 1.0)
    assert after.evolve(status=EndpointStatus.IN_SERVICE) == after


def test_evolve_refuses_what_the_table_does_not_have():
    with pytest.raises(IllegalTransition, match="endpoint e is Deleting; it cannot become InService"):
        endpoint(EndpointStatus.DELETING).evolve(status=EndpointStatus.IN_SERVICE)


@pytest.mark.parametrize("kind", STATES)
def test_the_tables_speak_of_the_kinds_own_states(kind):
    states = set(STATES[kind])
    assert set(kind.transitions) <= states
    assert all(after <= states and before not in after for before, after in kind.transitions.items())


@pytest.mark.parametrize("kind", [TrainingJob, TuningJob])
def test_an_ended_job_stays_as_it_is(kind):
    for status in STATES[kind]:
        assert status.ended == (status not in kind.transitions)


def test_state_and_group_of_a_kind_without_them():
    model = Model(name="m", created_at=0, modified_at=0, arn="arn", document={})
    assert (model.state, model.group) == ("", "")


def test_kinds_are_distinct():
    kinds = [TrainingJob, TuningJob, Endpoint, Model, TagSet]
    assert len({kind.kind for kind in kinds}) == len(kinds)
