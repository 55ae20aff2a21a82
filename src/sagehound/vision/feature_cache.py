"""Features of photos kept on disk, shared by all runs on the machine: runs side by side divide the photos between them.

The unit is a chunk of photos. A run takes the chunks that nobody has made or is at, then waits for the others' ones.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import PIL
import timm
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from sagehound.vision.claims import claim
from sagehound.vision.dataset import Photo, Photos, Skipped
from sagehound.vision.features import BATCH_SIZE, Features, Progress, Say, extract, joined, readable
from sagehound.vision.inference import Description, build_transform

LIMIT_BYTES = 2 * 1024**3
#: Photos: few enough that runs side by side end together, enough to keep every thread busy.
CHUNK = 8 * BATCH_SIZE


class FeatureCache:
    """A folder of features by content: of the photos' bytes, the weights, the transform and the library versions.

    Features from it equal the computed ones bit for bit, since nothing that could change them is left out of the key.
    """

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._trouble: OSError | None = None

    @property
    def trouble(self) -> OSError | None:
        """Why features could not be kept, if so."""
        return self._trouble

    def obtain(self, key: str, photos: Sequence[Photo], make: Callable[[], Features], wait: bool) -> Features | None:
        """The features under `key`, made and kept where there are none. While another process makes them: None, or,
        to `wait`, what it made. The kernel ends the claim of a process that dies."""
        if found := self.read(key, photos):
            return found
        with self._claim(key, wait) as claimed:
            if not claimed:
                return None
            found = self.read(key, photos)
            if found is None:
                found = make()
                self._keep(key, found, photos)
            return found

    @contextlib.contextmanager
    def _claim(self, key: str, wait: bool) -> Iterator[bool]:
        with contextlib.ExitStack() as stack:
            try:
                claimed = stack.enter_context(claim(self._folder / f"{key}.lock", wait))
            except OSError as error:
                self._trouble = error
                claimed = True  # Nobody else can keep them there either.
            yield claimed

    def _keep(self, key: str, features: Features, photos: Sequence[Photo]) -> None:
        try:
            self.write(key, features, photos)
        except OSError as error:
            self._trouble = error

    def setting(self, network: nn.Module, description: Description, device: torch.device) -> bytes:
        """A digest of all that features depend on but the photos: weights (not the head's), transform, versions."""
        digest = hashlib.sha256()
        setting = [asdict(description)["transform"], description.architecture, description.stride_in_conv1]
        versions = [torch.__version__, timm.__version__, PIL.__version__, device.type]
        digest.update(json.dumps([setting, versions, BATCH_SIZE]).encode())
        head: str = network.pretrained_cfg["classifier"]  # type: ignore[index, assignment]
        for name, value in network.state_dict().items():
            if not name.startswith(f"{head}."):
                digest.update(value.cpu().contiguous().numpy().tobytes())
        return digest.digest()

    def key(self, setting: bytes, photos: Sequence[Photo]) -> str:
        """The name under which the features of these photos are kept."""
        digest = hashlib.sha256(setting)
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
        return Features(rows, torch.tensor(labels, dtype=torch.long), skipped)

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
    """The features of `photos` under the evaluation transform; InvalidInput where not one can be read."""
    progress = Progress(len(photos), say)
    transform, threads = build_transform(description), torch.get_num_threads()

    def make(some: Sequence[Photo]) -> Features:
        return extract(network, Photos(some, transform), threads, device, progress)

    if cache is None:
        found = make(photos)
    else:
        chunks = [photos[start : start + CHUNK] for start in range(0, len(photos), CHUNK)]
        found = joined(_divided(cache, cache.setting(network, description, device), chunks, make))
    if progress.computed:
        say(f"Features of {len(photos)} photos: computed {progress.computed} of them in {progress.seconds:.1f} s")
    else:
        say(f"Features of {len(photos)} photos: found in the cache")
    if cache and cache.trouble:
        say(f"Features are not kept for the next run: {cache.trouble}")
    return readable(found)


def _divided(
    cache: FeatureCache,
    setting: bytes,
    chunks: Sequence[Sequence[Photo]],
    make: Callable[[Sequence[Photo]], Features],
) -> list[Features]:
    """The features of every chunk: first those that nobody else is at, then the others'."""
    keys = [cache.key(setting, chunk) for chunk in chunks]
    found: dict[int, Features] = {}
    for wait in (False, True):
        for place, chunk in enumerate(chunks):
            if place not in found:
                part = cache.obtain(keys[place], chunk, functools.partial(make, chunk), wait)
                if part is not None:
                    found[place] = part
    return [found[place] for place in range(len(chunks))]
