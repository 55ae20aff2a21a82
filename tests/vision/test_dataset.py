import shutil

import pytest

from sagehound.errors import InvalidInput
from sagehound.vision.dataset import find_images, hold_out
from tests.vision.images import class_folders, split_folders


def test_split_folders_are_found_with_any_name_of_the_validation(tmp_path):
    folder = split_folders(tmp_path)
    for name in ("validation", "valid", "val"):
        class_folders(folder / name, 2)
        found = find_images(folder, seed=1)
        assert found.classes == ("blue", "green", "red")
        assert (len(found.train), len(found.test), len(found.validation)) == (18, 9, 6)
        assert [photo.label for photo in found.train] == [0] * 6 + [1] * 6 + [2] * 6
        shutil.rmtree(folder / name)


def test_a_validation_folder_alone_is_the_test_set_and_that_is_noted(tmp_path):
    folder = split_folders(tmp_path)
    (folder / "test").rename(folder / "val")
    found = find_images(folder, seed=1)
    assert (len(found.test), len(found.validation)) == (9, 0)
    assert "is the test set" in found.notes[0]


def test_channels_of_their_own(tmp_path):
    folder = split_folders(tmp_path)
    found = find_images(folder / "train", 1, test=folder / "test", validation=folder / "test")
    assert (len(found.train), len(found.test), len(found.validation)) == (18, 9, 9)


def test_one_folder_is_split_by_the_seed_class_by_class(tmp_path):
    folder = class_folders(tmp_path, 10)
    first, again, other = (find_images(folder, seed) for seed in (1, 1, 2))
    assert first == again
    assert set(first.test) != set(other.test)
    assert [photo.label for photo in first.test] == [0, 0, 1, 1, 2, 2]
    assert not set(first.test) & set(first.train)


@pytest.mark.parametrize("make", (class_folders, split_folders))
def test_a_share_of_each_class_is_held_out_by_the_seed(tmp_path, make):
    found = find_images(make(tmp_path, 10), 1)
    first, again, other = (hold_out(found, 0.2, seed) for seed in (1, 1, 2))
    assert first == again
    assert set(first.validation) != set(other.validation)
    assert [photo.label for photo in first.validation] == [0, 0, 1, 1, 2, 2]
    assert sorted((*first.train, *first.validation), key=found.train.index) == list(found.train)
    assert first.test == found.test
    assert first.notes[-1].startswith(f"No validation folder: 6 of {len(found.train)} photos to train on, 0.2 of each")


def test_nothing_is_held_out_where_there_is_a_validation_set_or_no_share(tmp_path):
    folder = split_folders(tmp_path)
    assert hold_out(find_images(folder, 1), 0, 1) == find_images(folder, 1)
    class_folders(folder / "validation", 2)
    assert hold_out(find_images(folder, 1), 0.2, 1) == find_images(folder, 1)


def test_a_class_with_one_photo_cannot_be_shared(tmp_path):
    found = find_images(split_folders(tmp_path, train=1), 1)
    with pytest.raises(InvalidInput, match=r"class blue has one photo to train on; .* to train and to validate"):
        hold_out(found, 0.1, 1)


def test_hidden_folders_and_other_files_are_no_classes(tmp_path):
    folder = split_folders(tmp_path)
    (folder / "train" / ".ipynb_checkpoints").mkdir()
    (folder / "train" / "red" / "README.md").write_text("not a photo")
    assert len(find_images(folder, 1).train) == 18


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda folder: shutil.rmtree(folder), "does not exist"),
        (lambda folder: shutil.rmtree(folder / "test"), "nothing to test on"),
        (lambda folder: shutil.rmtree(folder / "train"), "no train/"),
        (lambda folder: [shutil.rmtree(folder / name) for name in ("train", "test")], "no class folders"),
        (lambda folder: [shutil.rmtree(folder / "train" / name) for name in ("red", "blue")], "one class, 'green'"),
        (lambda folder: (folder / "train" / "empty").mkdir(), "empty has no photos"),
        (lambda folder: (folder / "test" / "pink").mkdir(), "lacks: pink"),
        (lambda folder: (folder / "train").rename(folder.parent / "train"), "no train/"),
    ],
)
def test_folders_that_can_not_work_are_refused_with_what_to_do(tmp_path, break_it, message):
    folder = split_folders(tmp_path / "data")
    break_it(folder)
    with pytest.raises(InvalidInput, match=message):
        find_images(folder, seed=1)


def test_a_folder_around_the_data_is_named(tmp_path):
    split_folders(tmp_path / "dogImages")
    with pytest.raises(InvalidInput, match="dogImages has; give that folder"):
        find_images(tmp_path, seed=1)
