"""The rules over the operators of torch.profiler's window."""

from dataclasses import replace

import pyarrow as pa
import pytest

from sagehound.profile.findings.registry import build
from sagehound.profile.profile import Profile
from tests.profile.findings.profiles import operators, profile, samples, steps

OPERATOR_RULES = ("TinyOperators", "Precision", "MemoryFormat", "SyncEachStep")


def seen(operators_seen: dict[str, tuple[int, float]], device: str = "cpu", **facts: str | float) -> Profile:
    table = steps([0.1] * 100, forward=[0.04] * 100, backward=[0.05] * 100)
    return profile(timeline=table, operators=operators(operators_seen, device), facts=facts)


@pytest.mark.parametrize("name", OPERATOR_RULES)
def test_without_a_window_the_rule_says_how_to_get_one(name: str) -> None:
    assert "FrameworkProfile(" in build(name).judge(profile(timeline=steps([0.1] * 30))).unable


def test_tiny_operators() -> None:
    tiny = {"aten::mm": (1000, 0.002), "aten::convolution": (10, 0.002)}
    verdict = build("TinyOperators").judge(seen(tiny, batch_size=2))
    assert verdict.findings[0].code == "DataLoader(dataset, batch_size=16)"
    assert verdict.findings[0].operators[0] == "aten::mm"
    share = (0.002 + 0.00002) / 0.004
    assert verdict.findings[0].gain_s == pytest.approx(10.0 * share * 7 / 8)
    large = {"aten::mm": (1000, 0.002), "aten::convolution": (10, 0.004)}
    assert build("TinyOperators").judge(seen(large)).findings == ()


def test_float32_where_bfloat16_is_faster() -> None:
    products = {"aten::addmm": (10, 0.4), "aten::relu": (10, 0.6)}
    finding = build("Precision").judge(seen(products, bf16="avx512_bf16")).findings[0]
    assert "autocast" in finding.code
    assert finding.gain_s == pytest.approx(9.0 * 0.4 * (1 - 1 / 1.8))
    assert build("Precision").judge(seen(products, bf16="avx512_bf16", autocast="bfloat16")).findings == ()
    few = {"aten::addmm": (10, 0.3), "aten::relu": (10, 0.7)}
    assert build("Precision").judge(seen(few, bf16="avx512_bf16")).findings == ()


def test_small_products_gain_nothing() -> None:
    products = {"aten::addmm": (10_000, 0.4), "aten::relu": (10, 0.1)}
    assert build("Precision").judge(seen(products, bf16="avx512_bf16")).findings == ()
    small = {"aten::convolution": (10_000, 0.4)}
    assert build("MemoryFormat").judge(seen(small, memory_format="contiguous")).findings == ()


@pytest.mark.parametrize(("used", "ours", "found"), [(100.0, 20.0, 0), (100.0, 90.0, 1), (60.0, 20.0, 1)])
def test_calls_that_only_others_made_long_gain_nothing(used: float, ours: float, found: int) -> None:
    sampled = samples({("CPUUtilization", name): [used] * 20 for name in ("cpu0", "cpu1")})
    sampled = pa.concat_tables([sampled, samples({("CPUUtilization", "job"): [ours] * 20})])
    waited = replace(seen({"aten::addmm": (1000, 0.1)}, bf16="avx512_bf16"), system=sampled)
    assert len(build("Precision").judge(waited).findings) == found


def test_a_processor_without_bfloat16_has_nothing_to_gain() -> None:
    products = {"aten::addmm": (10, 0.9)}
    assert "not faster" in build("Precision").judge(seen(products, bf16="none")).unable
    assert "not known" in build("Precision").judge(seen(products)).unable


def test_convolutions_over_contiguous_images() -> None:
    convolutions = {"aten::mkldnn_convolution": (10, 0.5), "aten::relu": (10, 0.5)}
    finding = build("MemoryFormat").judge(seen(convolutions, memory_format="contiguous")).findings[0]
    assert "channels_last" in finding.code
    assert build("MemoryFormat").judge(seen(convolutions, memory_format="channels_last")).findings == ()
    assert "not known" in build("MemoryFormat").judge(seen(convolutions)).unable
    few = {"aten::convolution": (10, 0.4), "aten::relu": (10, 0.6)}
    assert build("MemoryFormat").judge(seen(few, memory_format="contiguous")).findings == ()


@pytest.mark.parametrize(("seconds", "found"), [(0.06, 1), (0.05, 0)])
def test_a_device_that_is_waited_for(seconds: float, found: int) -> None:
    reads = {"aten::_local_scalar_dense": (10, seconds), "aten::addmm": (100, 1 - seconds)}
    verdict = build("SyncEachStep").judge(seen(reads))
    assert len(verdict.findings) == found
    if found:
        assert verdict.findings[0].operators == ("aten::_local_scalar_dense",)
        assert verdict.findings[0].gain_s == pytest.approx(0.6)


def test_a_few_reads_on_a_cpu_cost_nothing() -> None:
    reads = {"aten::item": (10, 1e-5), "aten::_local_scalar_dense": (10, 2e-5), "aten::addmm": (100, 0.1)}
    assert build("SyncEachStep").judge(seen(reads)).findings == ()
