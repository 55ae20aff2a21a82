from sagehound.jobs.meter import Meter
from sagehound.jobs.metrics import datapoints, final
from sagehound.records.training import Metric


def test_a_job_without_metrics_has_none(tmp_path):
    assert datapoints(tmp_path) == []
    assert final(tmp_path) == ()


def test_values_are_read_as_they_were_printed(tmp_path):
    meter = Meter([("loss", "loss: ([0-9.]+)"), ("acc", "acc=(\\S+)")], str(tmp_path / "metrics.jsonl"), print)
    for at, line in enumerate(["loss: 0.5, acc=0.25", "nothing", "loss: 0.125.", "acc=nan", "acc=high"]):
        meter(float(at), line)
    assert datapoints(tmp_path, "loss") == [
        Metric(name="loss", value=0.5, at=0.0),
        Metric(name="loss", value=0.125, at=2.0),
    ]
    assert [(metric.name, metric.value) for metric in final(tmp_path)] == [("loss", 0.125), ("acc", 0.25)]


def test_a_line_that_is_still_being_written_is_left_out(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"name": "l", "value": 1.0, "at": 2.0}\n{"name": "l", "va')
    assert datapoints(tmp_path) == [Metric(name="l", value=1.0, at=2.0)]


def test_the_last_values_follow_the_file(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"name": "l", "value": 1.0, "at": 2.0}\n{"name": "m", "va')
    assert final(tmp_path) == (Metric(name="l", value=1.0, at=2.0),)
    with path.open("a") as file:
        file.write('lue": 3.0, "at": 4.0}\n{"name": "l", "value": 5, "at": 6.0}\n')
    assert final(tmp_path) == (Metric(name="l", value=5.0, at=6.0), Metric(name="m", value=3.0, at=4.0))
    path.write_text('{"name": "n", "value": 7.0, "at": 8.0}\n')
    assert final(tmp_path) == (Metric(name="n", value=7.0, at=8.0),)


def test_an_expression_without_groups_is_the_value_itself(tmp_path):
    meter = Meter([("n", r"\d+")], str(tmp_path / "metrics.jsonl"), print)
    meter(1.0, "epoch 12 of 20")
    assert datapoints(tmp_path)[0].value == 12


def test_what_is_no_expression_is_said_and_left_out(tmp_path):
    said = []
    Meter([("bad", "(")], str(tmp_path / "metrics.jsonl"), said.append)
    assert "'bad'" in said[0]
