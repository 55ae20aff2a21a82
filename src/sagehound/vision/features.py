"""Features: what a frozen backbone makes of each photo, computed once and kept for the next run on the same photos."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import PIL
import timm
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sagehound.errors import InvalidInput
from sagehound.vision.dataset import Batch, Photo, Photos, Skipped, collate
from sagehound.vision.inference import Description, build_transform

#: On a CPU larger batches leave the cache; measured with EfficientNet-Lite0 and ResNet-50.
BATCH_SIZE = 16
CACHE_LIMIT_BYTES = 2 * 1024**3
PROGRESS_EVERY_S = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Features:
    """Rows (n, width) and labels (n) of the photos that could be read."""

    rows: Tensor
    labels: Tensor
    skipped: tuple[Skipped, ...]


def pooled(network: nn.Module, images: Tensor) -> Tensor:
    """What the network's last linear layer takes in: (n, width)."""
    rows: Tensor = network.forward_head(network.forward_features(images), pre_logits=True)  # type: ignore[operator]
    return rows


def extract(network: nn.Module, photos: Photos, threads: int, device: torch.device, say: Say) -> Features:
    """Run the network in eval mode over all photos; InvalidInput if none can be read.

    Each thread takes whole batches, with one core each. Next to threads within each operation that is faster for small
    networks, does not suffer from busy neighbours, and the result does not depend on how many threads there are.
    """
    network.eval().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    starts = range(0, len(photos), BATCH_SIZE)
    threads_before = torch.get_num_threads()
    began = said = time.monotonic()
    rows, labels, skipped = [], [], list[Skipped]()

    @torch.inference_mode()
    def batch(start: int) -> tuple[Tensor, Batch]:
        made = collate([photos[place] for place in range(start, min(start + BATCH_SIZE, len(photos)))])
        if not len(made.labels):
            return torch.empty(0), made
        images = made.images.to(device).contiguous(memory_format=torch.channels_last)
        return pooled(network, images).float().cpu(), replace(made, images=torch.empty(0))

    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for start, (made, read) in zip(starts, pool.map(batch, starts), strict=True):
            skipped += read.skipped
            if len(read.labels):
                rows.append(made)
                labels.append(read.labels)
            now = time.monotonic()
            if now - said > PROGRESS_EVERY_S:
                said = now
                done = start + BATCH_SIZE
                say(f"Features: {done}/{len(photos)} photos, {done / (now - began):.0f} a second")
    torch.set_num_threads(threads_before)
    if not rows:
        first = f"{skipped[0].path}: {skipped[0].reason}"
        raise InvalidInput(f"none of the {len(photos)} photos can be read; the first: {first}")
    return Features(torch.cat(rows), torch.cat(labels), tuple(skipped))


class FeatureCache:
    """A folder of features by content: of the photos' bytes, the weights, the transform and the library versions.

    Features from it equal the computed ones bit for bit, since nothing that could change them is left out of the key.
    """

    def __init__(self, folder: Path, limit_bytes: int = CACHE_LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes

    def key(self, network: nn.Module, description: Description, photos: Sequence[Photo], device: torch.device) -> str:
        digest = hashlib.sha256()
        setting = [asdict(description)["transform"], description.architecture, description.stride_in_conv1]
        versions = [torch.__version__, timm.__version__, PIL.__version__, device.type]
        digest.update(json.dumps([setting, versions, BATCH_SIZE]).encode())
        head: str = network.pretrained_cfg["classifier"]  # type: ignore[index, assignment]
        for name, value in network.state_dict().items():
            if not name.startswith(f"{head}."):
                digest.update(value.cpu().contiguous().numpy().tobytes())
        for photo in photos:
            digest.update(hashlib.sha256(_bytes(photo.path)).digest())
        return digest.hexdigest()

    def read(self, key: str, photos: Sequence[Photo]) -> Features | None:
        try:
            with safe_open(self._folder / f"{key}.safetensors", "pt") as file:
                reasons: dict[str, str] = json.loads(file.metadata()["skipped"])
                rows = file.get_tensor("rows")
        except (OSError, SafetensorError, KeyError, ValueError):
            return None  # absent or damaged: computed anew, and written anew
        skipped = tuple(Skipped(photos[int(place)].path, reason) for place, reason in reasons.items())
        labels = [photo.label for place, photo in enumerate(photos) if str(place) not in reasons]
        return Features(rows, torch.tensor(labels), skipped)

    def write(self, key: str, features: Features, photos: Sequence[Photo]) -> None:
        """Keep `features`, and drop the oldest others beyond the limit. OSError where the folder cannot be written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        places = {photo.path: place for place, photo in enumerate(photos)}
        reasons = {str(places[skipped.path]): skipped.reason for skipped in features.skipped}
        unfinished = self._folder / f"{key}.{os.getpid()}.part"
        save_file({"rows": features.rows}, unfinished, {"skipped": json.dumps(reasons)})
        unfinished.replace(self._folder / f"{key}.safetensors")
        self._prune()

    def _prune(self) -> None:
        kept = 0
        files = [(path, path.stat()) for path in self._folder.glob("*.safetensors")]
        for path, stat in sorted(files, key=lambda file: file[1].st_mtime, reverse=True):
            kept += stat.st_size
            if kept > self._limit_bytes:
                path.unlink(missing_ok=True)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        return str(error).encode()  # listed as skipped by the loader


def of_photos(
    network: nn.Module,
    description: Description,
    photos: Sequence[Photo],
    cache: FeatureCache | None,
    device: torch.device,
    say: Say,
) -> Features:
    """The features of `photos` under the evaluation transform, from the cache if it has them."""
    key = cache.key(network, description, photos, device) if cache else ""
    if cache and (found := cache.read(key, photos)):
        say(f"Features of {len(photos)} photos: found in the cache")
        return found
    started = time.monotonic()
    made = extract(network, Photos(photos, build_transform(description)), torch.get_num_threads(), device, say)
    say(f"Features of {len(photos)} photos: computed in {time.monotonic() - started:.1f} s")
    if cache:
        try:
            cache.write(key, made, photos)
        except OSError as error:
            say(f"Features are not kept for the next run: {error}")
    return made
