"""Features of photos kept on disk, shared by all runs on the machine: runs side by side divide the photos between them.

The unit is a chunk of photos. A thread takes a chunk that nobody has made or is at; then all wait for the others' ones.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sagehound.vision.contents import Contents
from sagehound.vision.dataset import Photo, Skipped
from sagehound.vision.features import BATCH_SIZE, Features, Progress, extract, joined, readable
from sagehound.vision.frozen_backbone import FrozenBackbone
from sagehound.vision.precision import Say
from sagehound.vision.seeded_views import SeededView
from sagehound.vision.shared_folder import SharedFolder

LIMIT_BYTES = 2 * 1024**3
#: Photos: few enough that threads and runs side by side end together, enough for the files to be few.
CHUNK = 2 * BATCH_SIZE


class FeatureCache:
    """A folder of features by content: of the photos' bytes, and of all else that features depend on.

    Features from it equal the computed ones bit for bit, since nothing that could change them is left out of the key.
    Damaged files are made anew, with a line in the log; beyond `limit_bytes` the ones not used for longest go.
    """

    def __init__(self, folder: Path, say: Say, limit_bytes: int = LIMIT_BYTES) -> None:
        self._shared = SharedFolder(folder, limit_bytes, ".safetensors")
        self._say = say
        self._told: set[str] = set()
        self.contents = Contents(folder / "contents.txt", say)

    def tell_trouble(self) -> None:
        """Say once why features could not be kept, if so."""
        if self._shared.trouble:
            self._say_once("trouble", f"Features are not kept for the next run: {self._shared.trouble}")

    def obtain(self, key: str, photos: Sequence[Photo], make: Callable[[], Features], wait: bool) -> Features | None:
        """The features under `key`, made and kept where there are none. While another process makes them: None, or,
        to `wait`, what it made."""
        if found := self.read(key, photos):
            return found
        with self._shared.claim(key, wait) as claimed:
            if not claimed:
                return None
            found = self.read(key, photos)
            if found is None:
                found = make()
                self._shared.keep(key, functools.partial(_write, found, photos))
            return found

    def key(self, setting: bytes, view: int, photos: Sequence[Photo]) -> str:
        """The name under which the features of a view of these photos are kept."""
        digest = hashlib.sha256(setting + bytes([view]))
        for photo in photos:
            digest.update(self.contents.digest(photo.path))
        return digest.hexdigest()

    def read(self, key: str, photos: Sequence[Photo]) -> Features | None:
        """What is kept under `key`; None where nothing is, or it is not what was written."""
        path = self._shared.path(key)
        try:
            with safe_open(path, "pt") as file:
                kept, rows = file.metadata(), file.get_tensor("rows")
            if kept["checksum"] != _checksum(rows):
                raise ValueError("the checksum differs")
            reasons: dict[str, str] = json.loads(kept["skipped"])
            skipped = tuple(Skipped(photos[int(place)].path, reason) for place, reason in reasons.items())
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, LookupError, TypeError, ValueError) as error:
            if path.exists():
                self._say_once(key, f"{path.name} in the cache of features is damaged ({error}): computing it anew")
            return None
        self._shared.touch(key)
        labels = [photo.label for place, photo in enumerate(photos) if str(place) not in reasons]
        return Features(rows, torch.tensor(labels, dtype=torch.long), skipped)

    def _say_once(self, about: str, line: str) -> None:
        if about not in self._told:
            self._told.add(about)
            self._say(line)

    def tidy(self, computed: bool) -> None:
        """Remember the photos' contents; drop what is beyond the limit where features were `computed`."""
        with contextlib.suppress(OSError):  # the photos are read again next time
            self.contents.remember()
        if computed:
            self._shared.prune()


def _write(features: Features, photos: Sequence[Photo], path: Path) -> None:
    places = {photo.path: place for place, photo in enumerate(photos)}
    reasons = {str(places[skipped.path]): skipped.reason for skipped in features.skipped}
    kept = {"skipped": json.dumps(reasons), "checksum": _checksum(features.rows)}
    save_file({"rows": features.rows}, path, kept)


def _checksum(rows: Tensor) -> str:
    return hashlib.sha256(rows.contiguous().numpy().tobytes()).hexdigest()


def of_photos(
    backbone: FrozenBackbone, view: SeededView, photos: Sequence[Photo], cache: FeatureCache | None, say: Say
) -> Features:
    """The features of a view of `photos`; InvalidInput where not one can be read.

    Each thread takes a chunk at a time, with one core. Next to threads within each operation that is faster for small
    networks, does not suffer from busy neighbours, and the result does not depend on how many threads there are.
    """
    progress = Progress(len(photos), say)
    chunks = [photos[start : start + CHUNK] for start in range(0, len(photos), CHUNK)]
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            if cache is None:
                parts = list(pool.map(lambda chunk: extract(backbone, view, chunk, progress), chunks))
            else:
                parts = _divided(backbone, view, chunks, cache, pool, progress)
    finally:
        torch.set_num_threads(threads)
    name = "photos" if view.number == 0 else f"photos, view {view.number}"
    if progress.computed:
        say(f"Features of {len(photos)} {name}: computed {progress.computed} of them in {progress.seconds:.1f} s")
    else:
        say(f"Features of {len(photos)} {name}: found in the cache")
    if cache:
        cache.tell_trouble()
    return readable(joined(parts))


def _divided(
    backbone: FrozenBackbone,
    view: SeededView,
    chunks: Sequence[Sequence[Photo]],
    cache: FeatureCache,
    pool: ThreadPoolExecutor,
    progress: Progress,
) -> list[Features]:
    """The features of every chunk: first those that nobody else is at, then the others'."""
    setting = backbone.setting
    found: dict[int, Features] = {}

    def obtain(place: int, wait: bool) -> None:
        chunk = chunks[place]
        key = cache.key(setting, view.number, chunk)
        part = cache.obtain(key, chunk, functools.partial(extract, backbone, view, chunk, progress), wait)
        if part is not None:
            found[place] = part

    for wait in (False, True):
        missing = [place for place in range(len(chunks)) if place not in found]
        list(pool.map(functools.partial(obtain, wait=wait), missing))
    cache.tidy(computed=progress.computed > 0)
    return [found[place] for place in range(len(chunks))]
