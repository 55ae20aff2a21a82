"""What the SDK's ready-made collections mean in PyTorch.

`rule_configs.dead_relu()` and its like ask for tensors by the names that MXNet gives them (".*relu_output"), which no
PyTorch model has: a ReLU is called what its owner called it. The four regular expressions that the SDK sends (package
smdebug-rulesconfig 1.0.1) find their tensors by the type of the module as well as by name. A fifth,
".*activation_input", is not the SDK's: what goes into any module that squashes or cuts its input, which rules of
saturation look at.
"""

from __future__ import annotations

import re


def _is_relu(module_type: str, is_root: bool) -> bool:
    return "relu" in module_type.lower()


def _is_embedding(module_type: str, is_root: bool) -> bool:
    return module_type.startswith("Embedding")


def _is_activation(module_type: str, is_root: bool) -> bool:
    return module_type in _ACTIVATIONS or _is_relu(module_type, is_root)


def _is_root(module_type: str, is_root: bool) -> bool:
    return is_root


_ACTIVATIONS = ("Sigmoid", "Tanh", "Hardsigmoid", "Hardtanh", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish")
_MEANT = {
    ".*relu_output": (re.compile(r"_output_\d+$"), _is_relu),
    ".*relu_input": (re.compile(r"_input_\d+$"), _is_relu),
    ".*activation_input": (re.compile(r"_input_\d+$"), _is_activation),
    ".*hybridsequential0_input_0": (re.compile(r"_input_0$"), _is_root),
    ".*embedding0_input_0": (re.compile(r"_input_0$"), _is_embedding),
}


def means(regex: str, name: str, module_type: str, is_root: bool = False) -> bool:
    """Whether `regex` is one of these and means the tensor of that name, which goes into a module of that type or
    comes out of it.

    >>> means(".*relu_output", "features.act1_output_0", "ReLU6"), means("relu_output", "act1_output_0", "ReLU")
    (True, False)
    """
    meant = _MEANT.get(regex)
    return meant is not None and bool(meant[0].search(name)) and meant[1](module_type, is_root)
