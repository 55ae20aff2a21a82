"""How to train a configuration again: in a shell, and with the SageMaker SDK."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

#: The tag's value for the script that Sagehound brings.
BUILT_IN_SCRIPT = "sagehound.vision.train"


def hyperparameters(values: Mapping[str, str]) -> dict[str, str]:
    """Those of the script alone, without the SDK's own and without the quotes that it puts around text."""
    own = {name: value for name, value in values.items() if not name.startswith(("sagemaker_", "_"))}
    return {name: value.strip('"') for name, value in own.items()}


def command(script: str, data: str, values: Mapping[str, str]) -> str:
    """A line for the shell that trains with `values`; empty where the script or the data are not known here."""
    if not script or not data:
        return ""
    start = ["python", "-m", script, "--data", data] if script == BUILT_IN_SCRIPT else ["python", script]
    before = "" if script == BUILT_IN_SCRIPT else f"SM_CHANNEL_TRAINING={shlex.quote(data)} "
    given = [word for name, value in hyperparameters(values).items() for word in (f"--{name}", value)]
    return before + shlex.join([*start, *given])


def sdk(name: str, channel: str) -> str:
    """A program that trains the best configuration of the tuning job `name` again, here or on AWS, and deploys it."""
    return f"""\
import sagehound; sagehound.activate()  # without this line: on AWS
from sagemaker.tuner import HyperparameterTuner

tuner = HyperparameterTuner.attach({name!r})
estimator = tuner.best_estimator()
estimator.fit({{"training": {channel!r}}})
predictor = estimator.deploy(initial_instance_count=1, instance_type="ml.m5.large")"""
