import pytest

from sagehound.debug.config.collection import Collection


@pytest.mark.parametrize(
    ("regex", "name", "module_type", "is_root"),
    [
        (".*relu_output", "block.act_output_0", "ReLU", False),
        (".*relu_output", "block.act_output_1", "LeakyReLU", False),
        (".*relu_input", "block.act_input_0", "ReLU6", False),
        (".*embedding0_input_0", "words_input_0", "Embedding", False),
        (".*embedding0_input_0", "words_input_0", "EmbeddingBag", False),
        (".*hybridsequential0_input_0", "Net_input_0", "Net", True),
    ],
)
def test_the_sdks_collections_find_modules_by_type(regex, name, module_type, is_root):
    assert Collection("sdk", regex).matches(name, module_type, is_root)
    assert not Collection("sdk", regex).matches(name, "Linear", False)
    assert not Collection("own", regex.removeprefix(".*")).matches(name, module_type, is_root)


def test_what_goes_into_a_relu_is_not_its_output():
    assert not Collection("relu_output", ".*relu_output").matches("act_input_0", "ReLU")
    assert not Collection("relu_input", ".*relu_input").matches("act_output_0", "ReLU")
