"""Whole fine-tuning of EfficientNet-Lite0, images a second, beside a loop of timm's own parts and a plain one.

    python benchmarks/finetune.py [--data FOLDER] [--photos 640] [--epochs 4] [--rounds 5] [--plain-steps 2]

All sides start from the same weights and learn from the same photos (random crops of 35 to 100 %, flips, batches of 32,
AdamW, the head at 0.003, the rest at a hundredth of it, falling linearly to zero); all are judged on the same test
photos by the same code. Round r has seed r. Each side is a process of its own, and in a round they alternate.

- timm: `create_dataset`, `create_loader`, `create_optimizer_v2`, the step as its training script has it, channels last.
- plain: torchvision's ImageFolder and transforms, DataLoader, Adam, fp32; of this a few steps only, where it is slow.
- sagehound: `finetune.train`, once with empty caches (that counts decoding, and measuring bf16) and once a round with
  what the first left behind.
- fp32: the same held to fp32, in the first `--fp32-rounds` rounds. It learns from the very batches that `sagehound`
  learns from, so what is between the two is what bf16 does, without the chance of other crops.

The clock runs from the first call to the last step, without imports, weights and the final test. Prints tables and a
JSON line. What is between two sides is a mean over the seeds with its standard error: seeds draw other orders and crops
on each side, and one seed says nothing. `--timm-workers`, `--timm-amp` and so on choose the peers' settings.

Learned (26 November 2026, two quiet cores of a Zen 4 with AVX512-bf16, torch 2.13; `--rounds 4 --fp32-rounds 1`, 13
minutes): 67.2 images a second against 32.8 of timm's parts with two workers, 2.04 times (2.06 with empty caches), the
plain loop 11.3. After 80 steps, by seed:

    timm       0.718  0.702  0.712  0.702    test loss 1.011  0.996  0.993  1.014
    sagehound  0.683  0.710  0.669  0.704              1.028  0.958  1.036  0.979

that is -0.017 ± 0.013 in accuracy (372 photos, standard error over the seeds) and -0.004 ± 0.020 in loss: equal within
what four seeds can tell, a lean to timm's side of a point or two not excluded. Short trainings lean the same way: 60
seeds of 20 steps at 96 pixels, accuracy -0.010 ± 0.006, loss +0.022 ± 0.009. No cause was found: bf16 against fp32 on
the very same batches gives -0.005 and +0.004, and each part was compared with timm's by itself and is alike (boxes over
100,000 draws, pixels within 0.035 grey levels, flips, order, schedule, gradients within 1e-6 in fp32).

Before, on slower machines of the same kind. 320 photos, two epochs, one round (25 November
2026): 42.5 images a second against 17.8 of timm's parts with one worker, 2.39 times; 23.9 with empty caches, of a
training that took 27 s. Test accuracy after those 20 steps 0.438 and 0.444 (two photos of 372 apart).

Again on 26 November, quiet, as it stands now, timm with two workers: 40.6 against 18.8 (2.16 times; 1.83 with empty
caches; the plain loop 7.7), test accuracy 0.452 and 0.508, test loss 1.732 and 1.675. Those 20 steps of one seed are no
measure: on either side eight seeds lay 0.04 apart in accuracy and 0.026 in loss (standard deviation), by the order and
the crops that they drew. From the same order and crops, fp32 in place of bf16 ended within 0.005 of the same loss
(three seeds), and so did crops that torchvision cuts out of the whole photo (two). Hence more epochs and seeds now.

What one step of 32 photos in memory costs, in ms, by kind of operation measured alone (fp32, bf16 as torch has it, bf16
as it is here; forwards and backwards, channels last):

    pointwise convolutions        461   220   220
    depthwise: forwards            52    26    26
    - gradient of the inputs      103   278    37   as a convolution forwards
    - gradient of the weights     165   423         three columns of the kernel at a time
    batch normalisation, ReLU6    467   210   210

So bf16 autocast by itself makes a step slower (22 to 26 images a second where fp32 has 27 to 29), and 35 to 48 with the
gradients of vision/depthwise.py. Pointwise convolutions and what is bound by memory are the floor of this: without them
nothing much is left. A step with contiguous images (what a plain script has) took 31 s, once. The optimizer takes
5 ms. Beside other programs that take the cores, each operation waits for the core that is taken, and all sides lose
most of their speed: measure on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from sagehound.jobs.variables import DROPIN

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "clothing-small"
_BATCH, _LR = 32, 0.003


def subset(data: Path, photos: int, folder: Path) -> None:
    """`photos` of the training photos, spread evenly over all of them, and every test photo; as links."""
    chosen = sorted((data / "train").rglob("*.jpg"))
    chosen = [chosen[len(chosen) * number // photos] for number in range(photos)]
    for photo in [*chosen, *sorted((data / "test").rglob("*.jpg"))]:
        link = folder / photo.relative_to(data)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(photo)


def sagehound(args, precision="auto"):
    from sagehound.vision import finetune, memory
    from sagehound.vision.dataset import find_images
    from sagehound.vision.history import History
    from sagehound.vision.observer import Nobody
    from sagehound.vision.options import parse

    memory.keep_freed()
    data = find_images(args.data, args.seed)
    rates = ["--lr", str(_LR), "--batch-size", str(_BATCH), "--epochs", str(args.epochs), "--seed", str(args.seed)]
    told = ["--data", str(args.data), "--finetune", "all", "--augment", "--image-cache", str(args.cache / "images")]
    told += ["--precision", precision]
    options = parse([*told, *rates], os.environ)
    network, description = _network(data.classes)
    ended = []

    class Clock(Nobody):
        def evaluating(self):
            ended.append(time.perf_counter())

    began = time.perf_counter()
    finetune.train(network, description, data, options, History(data.classes, {}, 1000), Clock())
    return network, description, len(data.train) * args.epochs / (ended[-1] - began)


def timm_parts(args):
    import torch
    from timm.data import create_dataset, create_loader
    from timm.optim import create_optimizer_v2

    network, description = _network(tuple(sorted(path.name for path in (args.data / "train").iterdir())))
    config = description.transform
    network.to(memory_format=torch.channels_last).train()
    loader = create_loader(
        create_dataset("", root=str(args.data / "train"), is_training=True, batch_size=_BATCH),
        input_size=tuple(config["input_size"]), batch_size=_BATCH, is_training=True, no_aug=False, scale=(0.35, 1.0),
        ratio=(3 / 4, 4 / 3), hflip=0.5, color_jitter=0.0, interpolation=config["interpolation"], mean=config["mean"],
        std=config["std"], num_workers=args.timm_workers, use_prefetcher=False, device=torch.device("cpu"),
    )  # fmt: skip
    optimizer = create_optimizer_v2(_groups(network), opt="adamw", lr=_LR, weight_decay=0.01)
    steps = args.epochs * len(loader)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))
    loss_function, images = torch.nn.CrossEntropyLoss(), 0
    began = time.perf_counter()
    for _ in range(args.epochs):
        for inputs, labels in loader:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=args.timm_amp):
                loss = loss_function(network(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            images += len(labels)
    return network, description, images / (time.perf_counter() - began)


def plain(args):
    import torch
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    network, description = _network(tuple(sorted(path.name for path in (args.data / "train").iterdir())))
    config = description.transform
    transform = transforms.Compose([
        transforms.RandomResizedCrop(config["input_size"][1], scale=(0.35, 1.0)), transforms.RandomHorizontalFlip(),
        transforms.ToTensor(), transforms.Normalize(config["mean"], config["std"])])  # fmt: skip
    photos = datasets.ImageFolder(args.data / "train", transform)
    loader = DataLoader(photos, _BATCH, shuffle=True, num_workers=args.plain_workers)
    optimizer = torch.optim.Adam(_groups(network), _LR)
    loss_function, images = torch.nn.CrossEntropyLoss(), 0
    network.train()
    began = time.perf_counter()
    for step, (inputs, labels) in enumerate(loader):
        if step == args.plain_steps:
            break
        optimizer.zero_grad()
        loss_function(network(inputs), labels).backward()
        optimizer.step()
        images += len(labels)
    return None, description, images / (time.perf_counter() - began)


SIDES = {"sagehound": sagehound, "fp32": partial(sagehound, precision="fp32"), "timm": timm_parts, "plain": plain}


def _network(classes):
    from sagehound.vision import backbones

    return backbones.create(backbones.DEFAULT, classes)


def _groups(network):
    head = list(network.get_classifier().parameters())
    rest = [value for value in network.parameters() if all(value is not other for other in head)]
    return [{"params": rest, "lr": _LR / 100}, {"params": head, "lr": _LR}]


def judged(network, description, test: Path) -> dict[str, float]:
    """Accuracy and loss on the test photos, through the transform of serving, in fp32."""
    import torch

    from sagehound.vision.inference import build_transform, read_image
    from sagehound.vision.metrics import evaluate

    transform = build_transform(description)
    network.to(memory_format=torch.channels_last).eval()
    paths = [(path, label) for label, folder in enumerate(sorted(test.iterdir())) for path in sorted(folder.iterdir())]
    logits = []
    with torch.inference_mode():
        for start in range(0, len(paths), 32):
            photos = [read_image(path.read_bytes(), transform.least_side) for path, _ in paths[start : start + 32]]
            images = torch.stack([transform(photo) for photo in photos])
            logits.append(network(images.contiguous(memory_format=torch.channels_last)))
    result = evaluate(torch.cat(logits), torch.tensor([label for _, label in paths]))
    return {"accuracy": result.accuracy, "loss": result.loss}


def side(name: str, args) -> None:
    """Train as `name` does; the last line printed is what came of it."""
    import torch

    torch.manual_seed(args.seed)
    network, description, rate = SIDES[name](args)
    judgement = {} if network is None else judged(network, description, args.data / "test")
    print(json.dumps({"images_per_s": rate, **judgement}))


def process(name: str, folder: Path, seed: int, args) -> dict[str, float]:
    """What `side` prints, in a process of its own."""
    given = [f"--{key.replace('_', '-')}={getattr(args, key)}" for key in ("epochs", "timm_workers", "plain_workers")]
    given += [f"--plain-steps={args.plain_steps}", f"--seed={seed}", f"--data={folder / 'data'}", f"--side={name}"]
    given += [f"--cache={folder / 'cache'}", *(["--timm-amp"] if args.timm_amp else [])]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment["PYTHONPATH"] = os.pathsep.join([str(DROPIN), environment.get("PYTHONPATH", "")])
    command = [sys.executable, __file__, *given]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    print(f"{name}, seed {seed}: {done.stdout.splitlines()[-1]}", file=sys.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=_DATA)
    parser.add_argument("--photos", type=int, default=640)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fp32-rounds", type=int, default=2, help="of these; 0 leaves fp32 out")
    parser.add_argument("--plain-steps", type=int, default=2, help="0 leaves the plain loop out")
    parser.add_argument("--timm-workers", type=int, default=2)
    parser.add_argument("--timm-amp", action="store_true", help="bf16 autocast for timm's side")
    parser.add_argument("--plain-workers", type=int, default=1)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        side(args.side, args)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subset(args.data, args.photos, folder / "data")
        results: Results = {"sagehound, first": [process("sagehound", folder, 1, args)]}
        if args.plain_steps:
            results["plain"] = [process("plain", folder, 1, args)]
        for seed in range(1, args.rounds + 1):
            for label in ("timm", "sagehound", *(["fp32"] if seed <= args.fp32_rounds else [])):
                results.setdefault(label, []).append(process(label, folder, seed, args))
    report(results, args)


Results = dict[str, list[dict[str, float]]]


def report(results: Results, args) -> None:
    print(f"{args.photos} photos, {args.epochs} epochs, {os.cpu_count()} cores")
    print(f"{'':<18}{'images/s':>10}{'accuracy':>10}{'loss':>8}")
    median = {name: statistics.median(one["images_per_s"] for one in ones) for name, ones in results.items()}
    for name, ones in results.items():
        accuracy, loss = (statistics.mean(one.get(key, math.nan) for one in ones) for key in ("accuracy", "loss"))
        print(f"{name:<18}{median[name]:>10.1f}{accuracy:>10.3f}{loss:>8.3f}")
    by_seed(results)
    pairs = zip(results["sagehound"], results["timm"], strict=True)
    ratio = statistics.median(ours["images_per_s"] / theirs["images_per_s"] for ours, theirs in pairs)
    first = median["sagehound, first"] / median["timm"]
    print(f"{ratio:.2f} times timm's loop ({first:.2f} with empty caches)")
    result = {"benchmark": "finetune", "ratio": round(ratio, 3), "target": 1.5, "ratio_first": round(first, 3)}
    result |= {f"less_{other}": less(results, other) for other in ("timm", "fp32") if other in results}
    print(json.dumps(result | {"images_per_s": {name: round(rate, 1) for name, rate in median.items()}}))


def by_seed(results: Results) -> None:
    """Accuracy and loss of each seed, the sides beside each other."""
    sides = [name for name in ("timm", "sagehound", "fp32") if name in results]
    print(f"\n{'accuracy, loss':<18}" + "".join(f"{name:>16}" for name in sides))
    for place in range(len(results["sagehound"])):
        ended = [results[name][place] if place < len(results[name]) else None for name in sides]
        shown = [f"{one['accuracy']:.3f}, {one['loss']:.3f}" if one else "" for one in ended]
        print(f"{f'seed {place + 1}':<18}" + "".join(f"{one:>16}" for one in shown))


def less(results: Results, other: str) -> dict[str, list[float | None]]:
    """What `sagehound` has more than `other` at the same seeds: the mean and its standard error, None of one seed."""
    found: dict[str, list[float | None]] = {}
    for key in ("accuracy", "loss"):
        pairs = zip(results["sagehound"], results[other], strict=False)
        each = [ours[key] - theirs[key] for ours, theirs in pairs]
        error = statistics.stdev(each) / math.sqrt(len(each)) if len(each) > 1 else None
        shown = "" if error is None else f" ± {error:.4f}"
        print(f"sagehound less {other}: {key} {statistics.mean(each):+.4f}{shown} (standard error, {len(each)} seeds)")
        found[key] = [round(statistics.mean(each), 4), None if error is None else round(error, 4)]
    return found


if __name__ == "__main__":
    main()
