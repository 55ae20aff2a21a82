from pathlib import Path

import pytest

from sagehound.vision.options import parse

JOB = {
    "SM_CHANNEL_TRAINING": "/opt/ml/input/data/training",
    "SM_MODEL_DIR": "/opt/ml/model",
    "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
}


def test_a_job_names_the_folders():
    options = parse([], JOB)
    assert options.data_dir == Path("/opt/ml/input/data/training")
    assert options.model_dir == Path("/opt/ml/model")
    assert options.output_data_dir == Path("/opt/ml/output/data")
    assert parse([], {"SM_CHANNEL_TRAIN": "/t", "SM_CHANNEL_TEST": "/e"}).test_dir == Path("/e")


@pytest.mark.parametrize("spelling", ["batch_size", "batch-size"])
def test_both_spellings_as_the_seed_passes_them(spelling):
    arguments = [f"--{spelling}", "128", "--epochs", "2", "--lr", "0.0020447593724576905", "--test-batch-size", "100"]
    options = parse(arguments, JOB)
    assert (options.batch_size, options.epochs, options.lr) == (128, 2, 0.0020447593724576905)
    assert options.test_batch_size == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lr", "0"], "give a number above 0"),
        (["--lr", "-1"], "give a number above 0"),
        (["--lr", "nan"], "nan is not allowed"),
        (["--lr", "fast"], "'fast' is not a number"),
        (["--batch-size", "0"], "give 1 or more"),
        (["--batch-size", "1.5"], "not a number of the kind int"),
        (["--epochs", "0"], "give 1 or more"),
        (["--crop-pct", "1.5"], "give 1 or less"),
        (["--augment", "perhaps"], "'perhaps' is neither true nor false"),
        (["--momentum", "0.9"], "unrecognized arguments: --momentum"),
    ],
)
def test_values_that_can_not_be_are_refused_by_name(arguments, message, capsys):
    with pytest.raises(SystemExit):
        parse(arguments, JOB)
    said = capsys.readouterr().err
    assert message in said
    assert arguments[0].lstrip("-") in said


def test_without_photos_it_says_how_to_give_them(capsys):
    with pytest.raises(SystemExit):
        parse([], {})
    assert "give the photos with --data FOLDER" in capsys.readouterr().err


def test_where_decoded_photos_are_kept():
    assert parse([], {**JOB, "HOME": "/home/ada"}).image_cache == Path("/home/ada/.cache/sagehound/images")
    assert parse([], {**JOB, "SAGEHOUND_IMAGE_CACHE": "/i"}).image_cache == Path("/i")
    assert parse(["--image-cache", "none"], JOB).image_cache is None


def test_where_features_are_kept():
    assert parse([], {**JOB, "HOME": "/home/ada"}).feature_cache == Path("/home/ada/.cache/sagehound/features")
    assert parse([], {**JOB, "XDG_CACHE_HOME": "/c"}).feature_cache == Path("/c/sagehound/features")
    assert parse([], {**JOB, "SAGEHOUND_FEATURE_CACHE": "/f"}).feature_cache == Path("/f")
    assert parse(["--feature-cache", "none"], JOB).feature_cache is None


@pytest.mark.parametrize(
    ("arguments", "augment"),
    [
        ([], False),
        (["--augment"], True),
        (["--augment", "--views", "3"], True),
        *((["--augment", text], True) for text in ("True", "true", "1")),
        *((["--augment", text], False) for text in ("False", "false", "0")),
    ],
)
def test_augment_is_a_switch_or_a_hyperparameter_with_a_value(arguments, augment):
    assert parse(arguments, JOB).augment is augment
