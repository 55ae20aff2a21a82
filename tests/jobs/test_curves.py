"""One metric as a curve."""

import json

from sagehound.jobs.curves import Curve
from sagehound.jobs.metrics import METRICS_FILE, begin_again


def put(folder, *values, name="loss"):
    with (folder / METRICS_FILE).open("a") as file:
        file.writelines(json.dumps({"name": name, "value": value, "at": 1.0}) + "\n" for value in values)


def test_a_curve_grows_with_its_file(tmp_path):
    curve = Curve(tmp_path, "loss")
    assert curve.read() == ()
    put(tmp_path, 0.5)
    put(tmp_path, 0.9, name="accuracy")
    assert curve.read() == (0.5,)
    put(tmp_path, 0.4, 0.3)
    assert curve.read() == (0.5, 0.4, 0.3)


def test_a_line_that_is_being_written_waits(tmp_path):
    put(tmp_path, 0.5)
    with (tmp_path / METRICS_FILE).open("a") as file:
        file.write('{"name": "loss", "val')
    curve = Curve(tmp_path, "loss")
    assert curve.read() == (0.5,)
    with (tmp_path / METRICS_FILE).open("a") as file:
        file.write('ue": 0.25, "at": 1.0}\n')
    assert curve.read() == (0.5, 0.25)


def test_a_job_that_is_begun_again_begins_a_new_curve(tmp_path):
    put(tmp_path, 0.5, 0.4)
    curve = Curve(tmp_path, "loss")
    assert curve.read() == (0.5, 0.4)
    begin_again(tmp_path)
    assert curve.read() == ()
    put(tmp_path, 0.7)
    assert curve.read() == (0.7,)
