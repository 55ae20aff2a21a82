"""A frozen network with fewer passes over memory: convolution, batch normalisation, addition and ReLU as one operation.

On a CPU each of them alone reads and writes all activations once more. The operation is oneDNN's, the one that
torch.compile uses; the batch normalisation goes into the convolution's weights, in fp32, before these are rounded.
"""

from __future__ import annotations

import copy
import operator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class Pooled(nn.Module):
    """What the last linear layer of a timm network takes in: (n, width)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        network: Any = self.network
        rows: Tensor = network.forward_head(network.forward_features(images), pre_logits=True)
        return rows


def fused(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy of `network` up to its last layer, in eval mode on the CPU, that computes in `dtype`: from (n, 3, height,
    width) to (n, width), for inference alone.

    Whatever torch.fx raises for a network whose forward it cannot follow.
    """
    pooled = Pooled(copy.deepcopy(network).eval())
    graph = fx.GraphModule(pooled, _Tracer().trace(pooled))
    for norm in _nodes(graph, nn.BatchNorm2d):
        _fold(graph, norm)
    for identity in _nodes(graph, nn.Identity, nn.Dropout):
        identity.replace_all_uses_with(identity.args[0])  # type: ignore[arg-type]
        graph.graph.erase_node(identity)
    for convolution in _nodes(graph, nn.Conv2d):
        _join(graph, convolution, dtype)
    graph.graph.lint()
    graph.recompile()
    return graph.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


class _Tracer(fx.Tracer):
    """Takes timm's convolutions and normalisations, which are derived from torch's, for one operation each."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, nn.Conv2d | nn.BatchNorm2d) or super().is_leaf_module(m, module_qualified_name)


def _nodes(graph: fx.GraphModule, *kinds: type[nn.Module]) -> list[fx.Node]:
    return [node for node in graph.graph.nodes if isinstance(_module(graph, node), kinds)]


def _module(graph: fx.GraphModule, node: object) -> nn.Module | None:
    if not isinstance(node, fx.Node) or node.op != "call_module":
        return None
    return graph.get_submodule(str(node.target))


def _fold(graph: fx.GraphModule, norm: fx.Node) -> None:
    """Put a normalisation into the convolution before it; the activation that timm has in some of them stays."""
    source, layer = norm.args[0], _module(graph, norm)
    convolution = _module(graph, source)
    assert isinstance(layer, nn.BatchNorm2d)
    assert isinstance(source, fx.Node)
    used = sum(node.target == source.target for node in graph.graph.nodes)
    if not isinstance(convolution, nn.Conv2d) or len(source.users) > 1 or used > 1:
        return
    graph.set_submodule(str(source.target), fuse_conv_bn_eval(convolution, layer))
    graph.set_submodule(str(norm.target), getattr(layer, "act", nn.Identity()))


def _join(graph: fx.GraphModule, node: fx.Node, dtype: torch.dtype) -> None:
    """Make a convolution, the addition to its result and the ReLU of that one operation, as far as they are there."""
    convolution = _module(graph, node)
    if type(convolution) is not nn.Conv2d or convolution.padding_mode != "zeros":
        return
    if isinstance(convolution.padding, str) or sum(other.target == node.target for other in graph.graph.nodes) > 1:
        return
    last, other = node, None
    user = _only_user(node)
    if user is not None and user.target in (operator.add, operator.iadd, torch.add) and len(user.args) == 2:
        other = next((argument for argument in user.args if argument is not node), None)
        # The sum takes the place of `other` in memory, which therefore nobody may need any more.
        fresh = _module(graph, other) is not None and isinstance(other, fx.Node) and max(other.users) is user
        last, other = (user, other) if fresh else (node, None)
    relu = _only_user(last)
    last = relu if relu is not None and isinstance(_module(graph, relu), nn.ReLU) else last
    graph.set_submodule(str(node.target), _Convolution(convolution, dtype, relu=last is relu))
    with graph.graph.inserting_before(last):
        arguments = node.args if other is None else (*node.args, other)
        joined = graph.graph.call_module(str(node.target), arguments)
    last.replace_all_uses_with(joined)
    for replaced in dict.fromkeys((last, user if other is not None else last, node)):
        graph.graph.erase_node(replaced)  # type: ignore[arg-type]


def _only_user(node: fx.Node) -> fx.Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None


class _Convolution(nn.Module):
    """A convolution, the addition of its result to `other`, where that is given, and ReLU, where that is asked for."""

    def __init__(self, convolution: nn.Conv2d, dtype: torch.dtype, relu: bool) -> None:
        super().__init__()
        self._shape = (convolution.padding, convolution.stride, convolution.dilation, convolution.groups)
        # No parameters: moved to another precision or device they would have to be laid out anew.
        weight = convolution.weight.detach().to(dtype)
        self._weight = weight.contiguous(memory_format=torch.channels_last)
        self._bias = None if convolution.bias is None else convolution.bias.detach().to(dtype)
        self._after = "relu" if relu else None

    def forward(self, images: Tensor, other: Tensor | None = None) -> Tensor:
        given = (images, self._weight, self._bias, *self._shape)
        if other is None:
            made: Tensor = torch.ops.mkldnn._convolution_pointwise(*given, self._after or "none", [], "")
            return made
        summed: Tensor = torch.ops.mkldnn._convolution_pointwise_.binary(other, *given, "add", 1.0, self._after, [], "")
        return summed
