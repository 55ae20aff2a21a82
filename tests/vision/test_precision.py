import multiprocessing
from pathlib import Path

import pytest
import torch

from sagehound.vision import precision
from sagehound.vision.precision import Comparison, Precision, choose, expected_move, seconds

CPU = torch.device("cpu")
GOOD = Comparison(fp32_s=2.0, bf16_s=1.0, changed=0.001)


@pytest.fixture
def with_bf16(monkeypatch):
    """A machine that multiplies bf16, whatever this one does."""
    monkeypatch.setattr(precision, "in_hardware", lambda device: True)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (GOOD, Precision.BF16),
        (Comparison(1.05, 1.0, 0.0), Precision.FP32),
        (Comparison(2.0, 1.0, 0.006), Precision.FP32),
    ],
)
def test_bf16_where_it_is_faster_and_as_accurate(found, expected):
    assert found.choice is expected
    assert found.line().endswith(f"computing in {expected}")


def test_the_choice_is_remembered_for_the_network_and_the_machine(tmp_path, with_bf16):
    said: list[str] = []
    assert choose(tmp_path, b"network", CPU, lambda: GOOD, said.append) is Precision.BF16
    assert choose(tmp_path, b"network", CPU, pytest.fail, said.append) is Precision.BF16
    slow = Comparison(1.0, 1.0, 0.0)
    assert choose(tmp_path, b"another", CPU, lambda: slow, said.append) is Precision.FP32
    assert [line.split()[0] for line in said] == ["bf16", "bf16"]


def test_of_a_training_the_speed_alone_is_known_and_remembered(tmp_path, with_bf16):
    said: list[str] = []
    steps = Comparison(fp32_s=2.0, bf16_s=1.0, changed=None)
    assert choose(tmp_path, b"training", CPU, lambda: steps, said.append) is Precision.BF16
    assert choose(tmp_path, b"training", CPU, pytest.fail, said.append) is Precision.BF16
    assert said == ["bf16 is 2.00 times as fast as fp32: training in bf16"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"fp32_s": 1}', '{"fp32_s": "x", "bf16_s": 1, "changed": 0}'])
def test_a_damaged_record_is_made_anew(tmp_path, with_bf16, damage):
    said: list[str] = []
    choose(tmp_path, b"network", CPU, lambda: GOOD, print)
    (file,) = tmp_path.glob("*.json")
    file.write_text(damage)
    assert choose(tmp_path, b"network", CPU, lambda: GOOD, said.append) is Precision.BF16
    assert "damaged" in said[0]
    assert choose(tmp_path, b"network", CPU, pytest.fail, print) is Precision.BF16


def test_where_nothing_can_be_kept_it_is_fp32(tmp_path, with_bf16):
    (tmp_path / "file").write_text("in the way")
    said: list[str] = []
    assert choose(tmp_path / "file" / "records", b"network", CPU, lambda: GOOD, said.append) is Precision.FP32
    assert "could not be kept" in said[0]


def test_without_bf16_in_the_hardware_nothing_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "in_hardware", lambda device: False)
    assert choose(tmp_path, b"network", CPU, pytest.fail, print) is Precision.FP32
    assert list(tmp_path.iterdir()) == []


def ask(folder: Path, answers) -> None:
    precision.in_hardware = lambda device: True
    measured = []

    def compare() -> Comparison:
        measured.append(1)
        return GOOD

    choose(folder, b"network", CPU, compare, print)
    answers.put(len(measured))


def test_of_several_processes_one_measures(tmp_path):
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    processes = [context.Process(target=ask, args=(tmp_path, answers)) for _ in range(2)]
    for process in processes:
        process.start()
    assert sorted(answers.get(timeout=120) for _ in processes) == [0, 1]
    for process in processes:
        process.join()


def test_seconds_are_the_fastest_run_after_a_warm_one():
    runs: list[int] = []
    assert seconds(lambda: runs.append(1), repeats=2) >= 0
    assert len(runs) == 3


def test_a_processor_that_has_bf16_is_known_by_its_flags(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(precision.platform, "machine", lambda: "x86_64")
    for flags, expected in (({"avx512f"}, False), ({"avx512f", "avx512_bf16"}, True), ({"amx_bf16"}, True)):
        monkeypatch.setattr(precision, "_cpu_flags", lambda flags=flags: flags)
        assert precision.in_hardware(CPU) is expected
    monkeypatch.setattr(precision.platform, "machine", lambda: "aarch64")
    assert precision.in_hardware(CPU) is False
    assert precision.in_hardware(torch.device("meta")) is False


def test_the_machine_is_named_with_what_its_speed_depends_on():
    assert torch.__version__ in precision.machine(CPU)


def drawn(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Margins of a classifier that is right five times in six, and noise."""
    chance = torch.Generator().manual_seed(1)
    return 1 + torch.randn(count, generator=chance), torch.randn(count, generator=chance)


def accuracy(margins: torch.Tensor) -> float:
    return float((margins > 0).double().mean())


def test_equal_margins_move_nothing():
    margins, _ = drawn(100)
    assert expected_move(margins, margins) == 0


def test_what_harms_all_photos_moves_accuracy_by_as_much_as_is_counted_among_many():
    many, _ = drawn(40_000)
    counted = accuracy(many) - accuracy(many - 0.1)
    few, _ = drawn(2000)
    assert expected_move(few, few - 0.1) == pytest.approx(counted, rel=0.4)


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_noise_moves_accuracy_by_less_than_the_predictions_that_change(noise):
    many, shaken = drawn(40_000)
    changed = float(((many > 0) != (many + noise * shaken > 0)).double().mean())
    moved = abs(accuracy(many) - accuracy(many + noise * shaken))
    few, shaken = drawn(400)
    assert moved <= expected_move(few, few + noise * shaken) + 0.002
    assert expected_move(few, few + noise * shaken) < 0.5 * changed
