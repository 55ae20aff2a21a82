"""Losses that are computed by a function, named after the module of the same loss."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch.compiler import is_compiling

from sagehound.debug.recording.capture import traced
from sagehound.debug.recording.swapped_code import put_around, take_away

#: The functions of torch.nn.functional that compute a loss, and the module that computes the same.
MODULES = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "kl_div": "KLDivLoss",
    "poisson_nll_loss": "PoissonNLLLoss",
    "gaussian_nll_loss": "GaussianNLLLoss",
    "ctc_loss": "CTCLoss",
    "hinge_embedding_loss": "HingeEmbeddingLoss",
    "cosine_embedding_loss": "CosineEmbeddingLoss",
    "margin_ranking_loss": "MarginRankingLoss",
    "multi_margin_loss": "MultiMarginLoss",
    "multilabel_margin_loss": "MultiLabelMarginLoss",
    "multilabel_soft_margin_loss": "MultiLabelSoftMarginLoss",
    "soft_margin_loss": "SoftMarginLoss",
    "triplet_margin_loss": "TripletMarginLoss",
    "triplet_margin_with_distance_loss": "TripletMarginWithDistanceLoss",
}

#: Told of each: the module's name, what went in, what came out; None where it raised instead.
Heard = Callable[[str, tuple[Any, ...], torch.Tensor | None], None]

#: All who listen; and those who want to hear now, which costs a training something at every loss.
_listeners: list[Heard] = []
_attentive: list[Heard] = []


def listen(heard: Heard) -> None:
    """Hear of every functional loss from now on, also of those that scripts imported by name already."""
    if not _listeners:
        for name, module in MODULES.items():
            function = getattr(F, name, None)
            if isinstance(function, FunctionType) and not function.__code__.co_freevars:
                put_around(function, partial(_around, module))
    _listeners.append(heard)
    _attentive.append(heard)


def attend(heard: Heard, now: bool) -> None:
    """Hear of them `now`, or not until this is called again."""
    if heard in _attentive:
        _attentive.remove(heard)
    if now and heard in _listeners:
        _attentive.append(heard)


def stop_listening(heard: Heard) -> None:
    """Hear of no more; with the last listener everything is as it was."""
    attend(heard, now=False)
    if heard in _listeners:
        _listeners.remove(heard)
        if not _listeners:
            for name in MODULES:
                function = getattr(F, name, None)
                if isinstance(function, FunctionType):
                    take_away(function)


def _around(module: str, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
    try:
        out = original(*args, **kwargs)
    except Exception:
        # What it was given tells why, and there will be no later step.
        if not traced():
            _tell(module, args, None)
        raise
    # What a tracer or a compiler passes through is no tensor of the training. The compiler is asked for first: it would
    # guard on who listens, and compile anew for the steps that are saved.
    if not is_compiling() and _attentive and type(out) is torch.Tensor and not traced():
        _tell(module, args, out)
    return out


def _tell(module: str, args: tuple[Any, ...], out: torch.Tensor | None) -> None:
    for heard in tuple(_attentive):
        heard(module, args, out)
