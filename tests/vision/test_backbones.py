import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from sagehound.errors import InvalidInput, NotFound
from sagehound.vision import backbones, inference
from sagehound.vision.fusion import Pooled
from tests.vision.images import RESNET50_V1, needs_resnet

CLASSES = ("a", "b", "c")


def test_the_default_is_pretrained_with_the_packages_normalisation():
    network, description = backbones.create(backbones.DEFAULT, CLASSES)
    assert description.architecture == "tf_efficientnet_lite0"
    assert description.transform["mean"] == [127 / 255] * 3
    assert description.transform["std"] == [128 / 255] * 3
    assert backbones.classifier(network).weight.abs().sum() == 0
    # Of batch normalisation with fresh weights the variances would all be one.
    assert network.get_buffer("bn1.running_var").std() > 0.1


def test_an_unknown_model_is_refused_with_near_names():
    with pytest.raises(InvalidInput, match=r"did you mean .*resnet50"):
        backbones.create("resnet5O", CLASSES)


def test_resnet50_v1_needs_a_file():
    with pytest.raises(InvalidInput, match="give a file with --weights"):
        backbones.create("resnet50_v1", CLASSES)


def test_out_of_the_hubs_reach_it_says_so_at_once():
    code = """
import time
from sagehound.errors import NotFound
from sagehound.vision import backbones
started = time.monotonic()
try:
    backbones.create("resnet18", ("a", "b"))
except NotFound as error:
    print(error)
assert time.monotonic() - started < 10
"""
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    # A name that never resolves (RFC 6761).
    environment = {**clean, "HF_ENDPOINT": "https://hub.invalid", "HF_HOME": os.devnull + "/none"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "could not be had from the hub" in done.stdout, done.stderr
    assert "use --model tf_efficientnet_lite0" in done.stdout


@needs_resnet
def test_resnet50_v1_has_its_strides_in_the_first_convolution_here_and_when_served():
    network, description = backbones.create("resnet50_v1", CLASSES, RESNET50_V1)
    assert description.stride_in_conv1
    assert description.transform["crop_pct"] == 0.875
    for made in (network, inference.build_network(description)):
        assert made.get_submodule("layer3.0.conv1").stride == (2, 2)
        assert made.get_submodule("layer3.0.conv2").stride == (1, 1)
    served = inference.build_network(description)
    served.load_state_dict(network.state_dict())
    images = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(network.eval()(images), served.eval()(images))


def test_weights_from_a_file(tmp_path):
    source, _ = backbones.create(backbones.DEFAULT, CLASSES)
    state = {name: value + 1 if name == "bn1.bias" else value for name, value in source.state_dict().items()}
    save_file(state, tmp_path / "mine.safetensors")
    torch.save(state, tmp_path / "mine.pth")
    for file in ("mine.safetensors", "mine.pth"):
        network, _ = backbones.create(backbones.DEFAULT, ("x", "y"), tmp_path / file)
        assert torch.equal(network.get_parameter("bn1.bias"), state["bn1.bias"])


def test_what_a_file_replaces_is_not_drawn(tmp_path):
    source = inference.build_network(inference.Description("resnet18", CLASSES, {}))
    save_file(source.state_dict(), tmp_path / "mine.safetensors")
    before = torch.get_rng_state()
    network, _ = backbones.create("resnet18", CLASSES, tmp_path / "mine.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(network.get_parameter("conv1.weight"), source.get_parameter("conv1.weight"))


def test_a_file_that_is_cut_short_later_does_not_matter(tmp_path):
    file = tmp_path / "mine.safetensors"
    source, _ = backbones.create(backbones.DEFAULT, CLASSES)
    save_file(source.state_dict(), file)
    network, _ = backbones.create(backbones.DEFAULT, CLASSES, file)
    os.truncate(file, 0)
    assert torch.equal(network.get_parameter("conv_stem.weight"), source.get_parameter("conv_stem.weight"))


def test_weights_that_do_not_fit_are_refused(tmp_path):
    file = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, file)
    with pytest.raises(InvalidInput, match=r"does not fit .* tensors are missing"):
        backbones.create(backbones.DEFAULT, CLASSES, file)
    save_file({"conv_stem.weight": torch.zeros(1)}, file)
    with pytest.raises(InvalidInput, match="does not fit"):
        backbones.create(backbones.DEFAULT, CLASSES, file)
    file.write_text("no weights")
    with pytest.raises(InvalidInput, match="cannot be read"):
        backbones.create(backbones.DEFAULT, CLASSES, file)
    with pytest.raises(NotFound, match="is not a file"):
        backbones.create(backbones.DEFAULT, CLASSES, tmp_path / "none.pth")


@pytest.mark.parametrize(
    "model", ["tf_efficientnet_lite0", "resnet18", "mobilenetv3_small_050", "vit_tiny_patch16_224"]
)
def test_the_last_layer_on_pooled_features_is_the_whole_network(model):
    description = inference.Description(model, CLASSES, {})
    network = inference.build_network(description).eval()
    torch.nn.init.normal_(backbones.classifier(network).weight)
    images = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        composed = backbones.classifier(network)(Pooled(network)(images))
        assert torch.allclose(composed, network(images), atol=1e-6)
