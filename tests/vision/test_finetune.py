import json
from pathlib import Path

import pytest
import torch

from sagehound.vision import backbones, train
from sagehound.vision.dataset import find_images
from sagehound.vision.inference import build_transform, model_fn, read_image
from tests.vision.images import encoded, picture, split_folders


def run(folder: Path, out: Path, *arguments: str) -> bytes:
    where = ("--data", str(folder), "--model-dir", str(out / "model"), "--output-data-dir", str(out / "data"))
    how = ("--finetune", "all", "--augment", "--image-size", "32", "--batch-size", "8", "--image-cache", "none")
    assert train.main([*where, *how, *arguments], {}) == 0
    return (out / "model" / "model.safetensors").read_bytes()


def history(out: Path) -> dict[str, object]:
    return json.loads((out / "data" / "history.json").read_text())


def test_neither_threads_nor_what_the_cache_holds_change_the_model(tmp_path, capsys):
    folder = split_folders(tmp_path / "photos")
    (folder / "train" / "red" / "1.jpg").write_bytes(b"?")
    cache = ("--image-cache", str(tmp_path / "cache" / "images"))
    models = [run(folder, tmp_path, *cache, "--workers", workers) for workers in ("0", "1", "3")]
    assert models[0] == models[1] == models[2]
    said = capsys.readouterr().out
    assert said.count("Pixels of 18 photos: decoded") == 1
    assert said.count("Pixels of 18 photos: found in the cache") == 2
    for file in (tmp_path / "cache" / "images").glob("*.pixels"):
        file.write_bytes(b"?")
    assert run(folder, tmp_path, *cache) == models[0]


def test_without_a_cache_it_is_the_same_in_the_same_precision(tmp_path):
    folder = split_folders(tmp_path / "photos")
    first = run(folder, tmp_path / "a")
    images = tmp_path / "cache" / "images"
    images.mkdir(parents=True)
    (images / "precision").write_text("no folder, so bf16 can not be remembered")
    assert run(folder, tmp_path / "b", "--image-cache", str(images)) == first


def test_the_precision_can_be_named(tmp_path):
    folder = split_folders(tmp_path / "photos")
    fp32, auto = run(folder, tmp_path / "a", "--precision", "fp32"), run(folder, tmp_path / "b")
    assert fp32 == auto != run(folder, tmp_path / "c", "--precision", "bf16")


def test_the_layers_learn_and_what_is_tested_is_what_is_served(tmp_path):
    folder = split_folders(tmp_path / "photos")
    cache = ("--image-cache", str(tmp_path / "cache" / "images"))
    run(folder, tmp_path, *cache)
    tested = history(tmp_path)
    model = model_fn(str(tmp_path / "model"))
    before, _ = backbones.create(backbones.DEFAULT, model.description.classes, image_size=32)
    moved = "blocks.3.0.conv_dw.weight"
    assert not torch.equal(before.get_parameter(moved), model.network.get_parameter(moved).cpu())
    transform = build_transform(model.description)
    seen = []
    for label, name in enumerate(model.description.classes):
        for path in sorted((folder / "test" / name).iterdir()):
            with torch.inference_mode():
                logits = model.network(transform(read_image(path.read_bytes(), transform.least_side)).unsqueeze(0))
            seen.append(float(torch.nn.functional.cross_entropy(logits.cpu(), torch.tensor([label]))))
    assert sum(seen) / len(seen) == pytest.approx(tested["test"]["loss"], abs=1e-4)


def test_a_last_batch_of_one_photo_is_left_out(tmp_path, capsys):
    folder = split_folders(tmp_path / "photos", train=3)
    (folder / "train" / "red" / "9.png").write_bytes(encoded(picture(), "PNG"))
    run(folder, tmp_path, "--batch-size", "3", "--epochs", "1")
    assert len(history(tmp_path)["train"]) == 3
    assert "step 3/3 (100%)" in capsys.readouterr().out


def test_batches_of_one_photo_are_refused(tmp_path, capsys):
    arguments = ["--data", str(split_folders(tmp_path)), "--finetune", "all", "--batch-size", "1"]
    assert train.main(arguments, {}) == 1
    assert "give --batch-size 2 or more" in capsys.readouterr().err


def plain_losses(folder: Path, epochs: int, batch: int, size: int, lr: float, seed: int) -> list[float]:
    """The loss of each step of a loop of torch's own parts, in the order of photos that the training draws."""
    data = find_images(folder, seed)
    network, description = backbones.create(backbones.DEFAULT, data.classes, image_size=size)
    transform = build_transform(description)
    images = torch.stack([transform(read_image(photo.path.read_bytes())) for photo in data.train])
    labels = torch.tensor([photo.label for photo in data.train])
    head = list(backbones.classifier(network).parameters())
    rest = [value for value in network.parameters() if all(value is not other for other in head)]
    optimizer = torch.optim.AdamW([{"params": rest, "lr": lr / 100}, {"params": head, "lr": lr}])
    order = torch.Generator().manual_seed(seed)
    steps = [part for _ in range(epochs) for part in torch.randperm(len(images), generator=order).split(batch)]
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, len(steps))
    losses = []
    for part in steps:
        loss = torch.nn.functional.cross_entropy(network.train()(images[part]), labels[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def test_in_fp32_it_learns_what_a_plain_loop_learns_from_the_same_photos(tmp_path):
    folder = split_folders(tmp_path / "photos")
    how = ("--augment", "false", "--precision", "fp32", "--seed", "5", "--lr", "0.01", "--epochs", "2")
    run(folder, tmp_path, *how, "--batch-size", "9", "--image-size", "64")
    losses = [entry["loss"] for entry in history(tmp_path)["train"]]
    assert losses == pytest.approx(plain_losses(folder, epochs=2, batch=9, size=64, lr=0.01, seed=5), rel=0.01)
