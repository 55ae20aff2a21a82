"""Rules by name and parameters."""

from dataclasses import asdict
from typing import Any, cast

import pytest

from sagehound.errors import InvalidInput
from sagehound.profile.findings.profiler_report import ProfilerReport
from sagehound.profile.findings.registry import DOCUMENTED, RULES, build
from sagehound.profile.findings.step_outlier import StepOutlier

#: As AWS's guide has them; the Dataloader's as its package.
GUIDE: dict[str, dict[str, Any]] = {
    "BatchSize": {
        "cpu_threshold_p95": 70,
        "gpu_threshold_p95": 70,
        "gpu_memory_threshold_p95": 70,
        "patience": 100,
        "window": 500,
    },
    "CPUBottleneck": {"threshold": 50, "gpu_threshold": 10, "cpu_threshold": 90, "patience": 100},
    "GPUMemoryIncrease": {"increase": 10, "patience": 100, "window": 500},
    "IOBottleneck": {"threshold": 50, "gpu_threshold": 70, "io_threshold": 50, "patience": 1000},
    "LoadBalancing": {"threshold": 0.5, "patience": 10},
    "LowGPUUtilization": {"threshold_p95": 70, "threshold_p5": 10, "patience": 1000, "window": 500},
    "MaxInitializationTime": {"threshold": 20},
    "OverallSystemUsage": {},
    "OverallFrameworkMetrics": {},
    "StepOutlier": {"stddev": 5, "mode": None, "n_outliers": 10},
    "Dataloader": {"min_threshold": 70, "max_threshold": 200},
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_defaults_are_the_guides(name: str) -> None:
    rule = build(name)
    assert asdict(cast("Any", rule)) == {**GUIDE[name], "scan_interval_us": 60_000_000}


@pytest.mark.parametrize("name", RULES)
def test_a_class_has_the_name_it_is_asked_for_by(name: str) -> None:
    assert build(name).name == RULES[name].__name__ == name


def test_what_the_sdk_adds_is_not_the_rules() -> None:
    given = {"rule_to_invoke": "StepOutlier", "stddev": "3", "mode": "None", "n_outliers": "10"}
    assert build("StepOutlier", given) == StepOutlier(stddev=3.0)


def test_the_report_passes_parameters_on() -> None:
    report = build("ProfilerReport", {"CPUBottleneck_cpu_threshold": "80", "lowgpuutilization_Window": "20"})
    assert isinstance(report, ProfilerReport)
    by_name = {rule.name: rule for rule in report.rules}
    assert list(by_name) == list(RULES)
    assert by_name["CPUBottleneck"].cpu_threshold == 80  # type: ignore[attr-defined]
    assert by_name["LowGPUUtilization"].window == 20  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("LowGpuUtilisation", {}, "did you mean LowGPUUtilization"),
        ("Overfit", {}, "there is no profiler rule 'Overfit'"),
        ("BatchSize", {"threshold": "3"}, "has no parameter 'threshold'; its parameters are cpu_threshold_p95"),
        ("BatchSize", {"patience": "many"}, "a number is needed"),
        ("BatchSize", {"patience": "1.5"}, "a whole number is needed"),
        ("BatchSize", {"gpu_threshold_p95": "170"}, "allowed is 0 to 100"),
        ("IdleCores", {"min_samples": "-1"}, "allowed is 0 or more"),
        ("StepOutlier", {"mode": "PREDICT"}, "allowed are TRAIN and EVAL"),
        ("ProfilerReport", {"threshold": "1"}, "<Rule>_<parameter>"),
        ("ProfilerReport", {"Overfit_patience": "1"}, "<Rule>_<parameter>"),
        ("ProfilerReport", {"BatchSize_threshold": "1"}, "BatchSize has no parameter 'threshold'"),
        ("ProfilerReport", {"BatchSize_patience": "inf"}, "a finite number is needed"),
    ],
)
def test_what_is_not_allowed_is_said(name: str, parameters: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        build(name, parameters)
