import json
from pathlib import Path

from sagehound.vision.dataset import Skipped
from sagehound.vision.history import History
from sagehound.vision.metrics import Evaluation

RESULT = Evaluation(0.5, 3, 4, [[2, 0], [1, 1]])


def test_what_is_printed_and_what_is_kept(tmp_path, capsys):
    history = History(("a", "b"), {"lr": 0.1}, log_interval_steps=2)
    for step in range(1, 4):
        history.step(1, step, 3, 1 / step)
    history.validation(1, RESULT)
    history.skip([Skipped(Path("x.jpg"), "cut short")] * 2)
    history.test(RESULT)
    assert capsys.readouterr().out.splitlines() == [
        "Train epoch: 1 [step 2/3 (66%)] Loss: 0.500000",
        "Train epoch: 1 [step 3/3 (100%)] Loss: 0.333333",
        "Validation set: Average loss: 0.5000, Accuracy: 3/4 (75.00%)",
        "Skipped x.jpg: cut short",
        "Test set: Average loss: 0.5000, Accuracy: 3/4 (75.00%)",
    ]
    kept = json.loads(history.write(tmp_path / "output").read_text())
    assert [entry["loss"] for entry in kept["train"]] == [1, 1 / 2, 1 / 3]
    assert kept["validation"][0]["accuracy"] == kept["test"]["accuracy"] == 0.75
    assert kept["skipped"] == [{"path": "x.jpg", "reason": "cut short"}]
    assert (kept["classes"], kept["options"]) == (["a", "b"], {"lr": 0.1})
