"""Where the files of a folder of tensors stand, relative to it."""

from __future__ import annotations

import re

#: Saved steps in one file of the manifest, and global steps in one folder of tensors.
STEPS_A_FILE = 1000
MANIFEST = "manifest"
TENSORS = "tensors"
#: Written by the job's service once all is there and the script, perhaps killed, left no End of its own.
END_OF_JOB = "END_OF_JOB.json"
#: Ends the name of a file that is still being written.
PART = ".part"


def manifest_file(worker: str, number: int) -> str:
    """The `number`-th file of a worker's manifest.

    >>> manifest_file("worker_0", 3)
    'manifest/worker_0/000003.jsonl'
    """
    return f"{MANIFEST}/{worker}/{number:06d}.jsonl"


def worker_of(name: str) -> str:
    """Whose manifest a file belongs to; "" for any other file.

    >>> worker_of("manifest/worker_0/000003.jsonl"), worker_of("manifest/notes.txt")
    ('worker_0', '')
    """
    found = re.fullmatch(rf"{MANIFEST}/([^/]+)/\d+\.jsonl", name)
    return found[1] if found else ""


def tensor_file(worker: str, step: int) -> str:
    """The arrays that a worker saved at a global step.

    >>> tensor_file("worker_0", 1010)
    'tensors/000000001/000000001010_worker_0.safetensors'
    """
    return f"{TENSORS}/{step // STEPS_A_FILE:09d}/{step:012d}_{worker}.safetensors"


def part_file(worker: str) -> str:
    """The one file that a worker is writing. It has the same name each time, so a killed writer leaves at most one."""
    return f"{TENSORS}/{worker}{PART}"
