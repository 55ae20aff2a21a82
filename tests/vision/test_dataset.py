import shutil

import pytest
import torch
from PIL import Image

from sagehound.errors import InvalidInput
from sagehound.vision.dataset import Batch, find_images, loader
from sagehound.vision.inference import Transform
from tests.vision.images import class_folders, encoded, picture, split_folders


def pixels(image: Image.Image) -> torch.Tensor:
    return torch.full((3, 2, 2), float(image.width))


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


def read(folder, **options) -> list[Batch]:
    return list(loader(find_images(folder, 1).train, Transform(32, pixels), 4, **options))


def test_broken_photos_are_left_out_and_listed(tmp_path):
    folder = split_folders(tmp_path)
    red = folder / "train" / "red"
    whole = (red / "1.jpg").read_bytes()
    (red / "1.jpg").write_bytes(whole[: len(whole) // 2])
    (red / "2.jpg").write_bytes(b"")
    (red / "3.jpg").write_text("<html>not found</html>")
    batches = read(folder)
    skipped = [photo for batch in batches for photo in batch.skipped]
    assert [photo.path.name for photo in skipped] == ["1.jpg", "2.jpg", "3.jpg"]
    assert all("not a whole" in photo.reason for photo in skipped)
    assert sum(len(batch.labels) for batch in batches) == 15


def test_a_batch_of_broken_photos_alone_is_empty(tmp_path):
    folder = split_folders(tmp_path)
    for path in (folder / "train" / "blue").iterdir():
        path.write_bytes(b"?")
    assert [len(batch.labels) for batch in read(folder)] == [0, 2, 4, 4, 2]


def test_a_bomb_is_left_out_and_listed(tmp_path, monkeypatch):
    folder = split_folders(tmp_path)
    (folder / "train" / "red" / "9.png").write_bytes(encoded(picture(size=(200, 200)), "PNG"))
    monkeypatch.setenv("SAGEHOUND_MAX_PIXELS", "10000")
    (skipped,) = [photo for batch in read(folder) for photo in batch.skipped]
    assert "200 x 200 pixels is over the limit of 10000" in skipped.reason


def test_the_order_is_the_generators(tmp_path):
    folder = split_folders(tmp_path)

    def order() -> list[int]:
        batches = read(folder, shuffled_by=torch.Generator().manual_seed(3))
        return [label for batch in batches for label in batch.labels.tolist()]

    assert order() == order() != sorted(order())


def test_reading_in_other_processes_gives_the_same(tmp_path):
    folder = split_folders(tmp_path)
    (folder / "train" / "red" / "1.jpg").write_bytes(b"?")
    ours, theirs = read(folder), read(folder, workers=1)
    assert all(torch.equal(a.images, b.images) for a, b in zip(ours, theirs, strict=True))
    assert [batch.skipped for batch in ours] == [batch.skipped for batch in theirs]
