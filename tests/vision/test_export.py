import torch
from safetensors import safe_open

from sagehound.vision import backbones, inference
from sagehound.vision.export import export


def test_weights_that_fit_16_bits_are_kept_in_16_and_come_back_the_same(tmp_path):
    network, description = backbones.create(backbones.DEFAULT, ("a", "b"), image_size=32)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.half().float())
        uneven = network.get_parameter("conv_head.weight")
        uneven.add_(1e-6)
    export(network, description, tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    assert kinds["conv_head.weight"] == "F32"
    assert kinds["blocks.3.1.conv_pw.weight"] == "F16"
    loaded = inference.model_fn(str(tmp_path)).network.state_dict()
    assert all(value.dtype == loaded[name].dtype for name, value in network.state_dict().items())
    assert all(torch.equal(value, loaded[name]) for name, value in network.state_dict().items())
