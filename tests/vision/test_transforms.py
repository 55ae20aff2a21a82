import pytest

from sagehound.errors import InvalidInput
from sagehound.vision import transforms
from sagehound.vision.inference import Description, build_network, build_transform
from tests.vision.images import picture


def resolved(model: str, **options) -> dict[str, object]:
    return transforms.resolve(build_network(Description(model, ("a", "b"), {})), **options)


def test_the_transform_is_the_models_own_as_plain_data():
    config = resolved("tf_efficientnet_lite0")
    assert config["input_size"] == [3, 224, 224]
    assert (config["interpolation"], config["crop_pct"], config["mean"]) == ("bicubic", 0.875, [0.5] * 3)


def test_size_and_crop_can_be_asked_for():
    config = resolved("tf_efficientnet_lite0", image_size=64, crop_pct=1.0)
    assert build_transform(Description("tf_efficientnet_lite0", (), config))(picture()).shape == (3, 64, 64)
    assert config["crop_pct"] == 1.0


def test_a_model_of_one_size_refuses_others():
    with pytest.raises(InvalidInput, match="takes 224 pixels only"):
        resolved("vit_tiny_patch16_224", image_size=64)
