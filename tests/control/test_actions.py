"""What is done when a rule fires."""

import pytest

from sagehound.control.actions import Actions, Alarm
from sagehound.records.rules import ActionKind, RuleAction
from sagehound.records.training import TrainingStatus
from tests.control.mail_server import mail_server
from tests.control.rule_house import House, rule

MAIL = RuleAction(kind=ActionKind.EMAIL, target="me@here.org")
FINDING = {"message": "it broke", "why": "because", "change": "this"}


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.store.close()


def actions(house, **settings):
    from dataclasses import replace

    return Actions(house.store, replace(house.settings, **settings), house.clock, lambda job, text: None)


def alarm(*wanted, job="job"):
    return Alarm(job=job, rule=rule("Overfit", *wanted), details="what was found", findings=[FINDING])


def stop(target=""):
    return RuleAction(kind=ActionKind.STOP_TRAINING, target=target)


def test_a_prefix_must_be_that_of_one_active_job(house):
    for name in ("dogs-1", "dogs-2", "cats-1"):
        house.create(name=name)
    house.ends("cats-1")
    do = actions(house)
    (two,) = do.stop(alarm(stop("dogs")))
    (none,) = do.stop(alarm(stop("cats")))
    assert "stopped nothing: 2 active training jobs have names that begin with 'dogs': dogs-1, dogs-2" in two
    assert "stopped nothing: 0 active" in none
    assert do.stop(alarm(stop("dogs-2"))) == ["StopTraining stopped the training job dogs-2."]
    assert [house.job(f"dogs-{n}").status for n in (1, 2)] == [TrainingStatus.IN_PROGRESS, TrainingStatus.STOPPING]


def test_a_jobs_own_name_is_no_prefix_of_others(house):
    house.create(name="dogs")
    house.create(name="dogs-2")
    assert actions(house).stop(alarm(stop("dogs"), job="dogs")) == ["StopTraining stopped the training job dogs."]
    assert house.job("dogs-2").status is TrainingStatus.IN_PROGRESS


def test_a_job_that_has_ended_is_left(house):
    house.create()
    house.ends()
    assert actions(house).stop(alarm(stop())) == ["StopTraining: the training job job was Completed already."]


def test_a_mail_has_the_findings(house):
    with mail_server() as server:
        assert actions(house, smtp=f"smtp://{server.place}").tell(alarm(MAIL)) == ["Email: sent to me@here.org."]
    (mail,) = server.mails
    assert "Subject: Sagehound: rule Overfit found issues in job" in mail
    for text in ("what was found", "it broke", "Why: because", "Change: this", "sagehound rules job"):
        assert text in mail


def test_without_a_server_no_mail_is_sent_and_that_is_said(house, caplog):
    (said,) = actions(house).tell(alarm(MAIL))
    assert "no mail was sent to me@here.org" in said
    assert "sagehound up --smtp" in said
    assert said in caplog.text


def test_what_cannot_be_reached_is_said(house):
    nowhere = {"smtp": "smtp://127.0.0.1:1", "webhook": "http://127.0.0.1:1/hook"}
    mail, hook = actions(house, **nowhere).tell(alarm(MAIL))
    assert mail.startswith("Email: no mail was sent to me@here.org: ConnectionRefusedError")
    assert hook.startswith("Webhook: it was not reached: URLError")
