import threading

import pytest
import torch

from sagehound.vision import backbones
from sagehound.vision.batches import Batches
from sagehound.vision.dataset import Batch, Photo, find_images
from sagehound.vision.image_cache import decoded
from sagehound.vision.inference import build_transform, read_image
from sagehound.vision.views import Middle, RandomCrop
from tests.vision.images import encoded, picture, split_folders


@pytest.fixture(scope="module")
def description():
    return backbones.create(backbones.DEFAULT, ("blue", "green", "red"), image_size=32)[1]


def reader(folder, view, threads=0, ahead=0) -> Batches:
    photos = find_images(folder, 1).train
    config = view.description.transform
    return Batches(photos, view, lambda place: decoded(photos[place], view), config, threads, ahead)


def test_photos_come_in_order_as_an_endpoint_sees_them(tmp_path, description):
    folder = split_folders(tmp_path)
    batches = list(reader(folder, Middle(description)).in_order(4))
    assert [len(batch.labels) for batch in batches] == [4, 4, 4, 4, 2]
    transform = build_transform(description)
    photos = find_images(folder, 1).train
    served = torch.stack([transform(read_image(photo.path.read_bytes(), transform.least_side)) for photo in photos])
    assert torch.equal(torch.cat([batch.images for batch in batches]), served)
    assert torch.cat([batch.labels for batch in batches]).tolist() == [photo.label for photo in photos]


@pytest.mark.parametrize("ahead", [0, 2])
@pytest.mark.parametrize("threads", [1, 5])
def test_threads_change_nothing(tmp_path, description, threads, ahead):
    folder = split_folders(tmp_path)
    (folder / "train" / "red" / "1.jpg").write_bytes(b"?")

    def epoch(threads: int, ahead: int = 0) -> list[Batch]:
        made = reader(folder, RandomCrop(description), threads, ahead)
        return list(made.shuffled(4, torch.Generator().manual_seed(3), "1 1"))

    for a, b in zip(epoch(0), epoch(threads, ahead), strict=True):
        assert torch.equal(a.images, b.images)
        assert torch.equal(a.labels, b.labels)
        assert a.skipped == b.skipped


def test_the_order_and_the_views_are_the_seeds(tmp_path, description):
    made = reader(split_folders(tmp_path), RandomCrop(description))

    def epoch(order: int, views: str) -> Batch:
        return next(iter(made.shuffled(18, torch.Generator().manual_seed(order), views)))

    first = epoch(3, "1 1")
    assert torch.equal(first.images, epoch(3, "1 1").images)
    assert torch.equal(first.labels, epoch(3, "1 2").labels)
    assert not torch.equal(first.images, epoch(3, "1 2").images)
    assert not torch.equal(first.labels, epoch(4, "1 1").labels)


def test_broken_photos_are_left_out_and_listed(tmp_path, description):
    folder = split_folders(tmp_path)
    red = folder / "train" / "red"
    whole = (red / "1.jpg").read_bytes()
    (red / "1.jpg").write_bytes(whole[: len(whole) // 2])
    (red / "2.jpg").write_bytes(b"")
    (red / "3.jpg").write_text("<html>not found</html>")
    batches = list(reader(folder, Middle(description)).in_order(4))
    skipped = [photo for batch in batches for photo in batch.skipped]
    assert [photo.path.name for photo in skipped] == ["1.jpg", "2.jpg", "3.jpg"]
    assert all("not a whole" in photo.reason for photo in skipped)
    assert sum(len(batch.labels) for batch in batches) == 15


def test_a_batch_of_broken_photos_alone_is_empty(tmp_path, description):
    folder = split_folders(tmp_path)
    for path in (folder / "train" / "blue").iterdir():
        path.write_bytes(b"?")
    batches = reader(folder, Middle(description)).in_order(4)
    assert [len(batch.labels) for batch in batches] == [0, 2, 4, 4, 2]


def test_a_bomb_is_left_out_and_listed(tmp_path, monkeypatch, description):
    folder = split_folders(tmp_path)
    (folder / "train" / "red" / "9.png").write_bytes(encoded(picture(size=(200, 200)), "PNG"))
    monkeypatch.setenv("SAGEHOUND_MAX_PIXELS", "10000")
    batches = reader(folder, Middle(description)).in_order(4)
    (skipped,) = [photo for batch in batches for photo in batch.skipped]
    assert "200 x 200 pixels is over the limit of 10000" in skipped.reason


def test_an_error_of_a_thread_reaches_the_training(description):
    def fail(place: int) -> None:
        raise MemoryError(place)

    view = Middle(description)
    made = Batches([Photo(path, 0) for path in ("a", "b")], view, fail, description.transform, 1)
    with pytest.raises(MemoryError):
        list(made.in_order(1))


@pytest.mark.parametrize("ahead", [0, 2])
def test_no_more_is_made_ahead_than_asked_for_and_no_thread_stays(tmp_path, description, ahead):
    view = Middle(description)
    photos = find_images(split_folders(tmp_path), 1).train
    begun: list[int] = []

    def noted(place: int):
        begun.append(place)
        return decoded(photos[place], view)

    batches = Batches(photos, view, noted, description.transform, 2, ahead).in_order(2)
    next(batches)
    batches.close()
    assert 2 <= len(begun) <= 2 * (1 + ahead)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("photos")]
