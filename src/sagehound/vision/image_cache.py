"""Decoded photos kept on disk, shared by all trainings on the machine, which divide the decoding between them.

The unit is a chunk of photos by content: of their bytes, and of all that decoding depends on. What is kept is what the
training would decode, byte for byte, so a training with a cache, without one, and with a full or damaged one are the
same.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sagehound.vision.dataset import Photo, Skipped
from sagehound.vision.inference import BadImage, read_image
from sagehound.vision.shared_folder import SharedFolder
from sagehound.vision.views import Pixels, View

LIMIT_BYTES = 4 * 1024**3
#: Photos: about 30 MB of those that EfficientNet-Lite0 learns from.
CHUNK = 64

Say = Callable[[str], None]
Decoded = Pixels | Skipped


def decoded(photo: Photo, view: View) -> Decoded:
    """What `view` keeps of the photo, or why there is none."""
    try:
        return view.kept(read_image(photo.path.read_bytes(), view.least_side))
    except (BadImage, OSError) as error:
        return Skipped(photo.path, str(error))


class ImageCache:
    """A folder of decoded photos of at most `limit_bytes`; what does not fit is decoded each time it is asked for."""

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._shared = SharedFolder(folder, limit_bytes, ".pixels")

    def photos(self, photos: Sequence[Photo], view: View, threads: int, say: Say) -> CachedPhotos:
        """Decode those of `photos` that nobody has decoded yet, each thread a chunk at a time, and say how it went."""
        began = time.monotonic()
        chunks = [photos[start : start + CHUNK] for start in range(0, len(photos), CHUNK)]
        tally = _Tally(self._shared.limit_bytes, say)
        with ThreadPoolExecutor(max(1, threads)) as pool:
            keys = list(pool.map(functools.partial(_key, view.setting), chunks))
            for wait in (False, True):  # first those that nobody else is at, then the others'
                obtain = functools.partial(self._obtain, view=view, wait=wait, tally=tally)
                list(pool.map(obtain, keys, chunks))
        count, seconds = tally.decoded, time.monotonic() - began
        how = f"decoded {count} of them in {seconds:.1f} s" if count else "found in the cache"
        say(f"Pixels of {len(photos)} photos: {how}")
        if self._shared.trouble:
            say(f"Pixels are not kept for the next epoch and run: {self._shared.trouble}")
        elif tally.left_out:
            gigabytes = self._shared.limit_bytes / 1024**3
            say(f"The cache's limit of {gigabytes:.3g} GiB leaves out {tally.left_out} photos: decoded each epoch")
        return CachedPhotos(self._shared, photos, keys, view, say)

    def _obtain(self, key: str, chunk: Sequence[Photo], view: View, wait: bool, tally: _Tally) -> None:
        """Nothing, while another process is at it, unless to `wait`."""
        if key in tally.sizes or self._found(key, tally):
            return
        with self._shared.claim(key, wait) as claimed:
            if not claimed or self._found(key, tally):
                return
            if self._shared.trouble or tally.full:
                tally.leave_out(key, len(chunk))
                return
            self._shared.keep(key, functools.partial(_write, chunk, view))
            self._shared.prune()
            tally.decode(len(chunk))
            self._found(key, tally)

    def _found(self, key: str, tally: _Tally) -> bool:
        path = self._shared.path(key)
        try:
            with safe_open(path, "np"):
                size_bytes = path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (OSError, SafetensorError) as error:
            tally.damaged(key, f"{path} is damaged ({error}): decoding its photos anew")
            return False
        self._shared.touch(key)
        tally.find(key, size_bytes)
        return True


class _Tally:
    """Of one training's photos: the chunks that are settled, with their size on disk, and what its threads did."""

    def __init__(self, limit_bytes: int, say: Say) -> None:
        self._limit_bytes = limit_bytes
        self._say = say
        self._lock = threading.Lock()
        self._damaged: set[str] = set()
        self.sizes: dict[str, int] = {}
        self.decoded = 0
        self.left_out = 0

    def find(self, key: str, size_bytes: int) -> None:
        with self._lock:
            self.sizes[key] = size_bytes

    def decode(self, photos: int) -> None:
        with self._lock:
            self.decoded += photos

    def leave_out(self, key: str, photos: int) -> None:
        with self._lock:
            self.sizes[key] = 0
            self.left_out += photos

    def damaged(self, key: str, line: str) -> None:
        """Says it once a chunk."""
        with self._lock:
            if key not in self._damaged:
                self._damaged.add(key)
                self._say(line)

    @property
    def full(self) -> bool:
        """Whether one more chunk, as large as the largest so far, would not fit beside the others."""
        with self._lock:
            return sum(self.sizes.values()) + max(self.sizes.values(), default=0) > self._limit_bytes


class CachedPhotos:
    """The decoded photos by their place; each is decoded where the cache does not have it, or not whole."""

    def __init__(
        self, shared: SharedFolder, photos: Sequence[Photo], keys: Sequence[str], view: View, say: Say
    ) -> None:
        self._shared = shared
        self._photos = photos
        self._keys = keys
        self._view = view
        self._say = say
        self._damaged: set[str] = set()

    def __call__(self, place: int) -> Decoded:
        key = self._keys[place // CHUNK]
        if key not in self._damaged:
            try:
                return self._read(key, place)
            except (FileNotFoundError, NotADirectoryError):
                pass  # left out, or dropped since
            except (OSError, SafetensorError, KeyError, ValueError) as error:
                self._damaged.add(key)
                self._say(f"{self._shared.path(key)} is damaged ({error}): decoding its photos instead")
        return decoded(self._photos[place], self._view)

    def _read(self, key: str, place: int) -> Decoded:
        name = str(place % CHUNK)
        with safe_open(self._shared.path(key), "np") as file:
            if name in set(file.keys()):
                pixels: Pixels = file.get_tensor(name)
                return pixels
            reasons: dict[str, str] = json.loads(file.metadata()["skipped"])
        return Skipped(self._photos[place].path, reasons[name])


def _key(setting: str, photos: Sequence[Photo]) -> str:
    digest = hashlib.sha256(setting.encode())
    for photo in photos:
        digest.update(hashlib.sha256(_bytes(photo.path)).digest())
    return digest.hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        return str(error).encode()  # listed as skipped


def _write(chunk: Sequence[Photo], view: View, path: Path) -> None:
    parts = [decoded(photo, view) for photo in chunk]
    arrays = {str(place): part for place, part in enumerate(parts) if not isinstance(part, Skipped)}
    reasons = {str(place): part.reason for place, part in enumerate(parts) if isinstance(part, Skipped)}
    save_file(arrays, path, {"skipped": json.dumps(reasons)})
