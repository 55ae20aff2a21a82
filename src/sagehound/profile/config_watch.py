"""A request that changes while the training runs: UpdateTrainingJob has its file written anew."""

from __future__ import annotations

from pathlib import Path

from sagehound.errors import InvalidInput
from sagehound.profile.config import TrainingProfile
from sagehound.watching.trouble import cause_of, say


class ConfigWatch:
    """Looks at the time of a file's last change; None: there is no file to look at."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._seen = self._version()

    def changed(self) -> TrainingProfile | None:
        """What the file asks for now, once after each change. One that cannot be met is said, and changes nothing."""
        version = self._version()
        if version == self._seen or version is None:
            return None
        self._seen = version
        try:
            return TrainingProfile.from_json_file(str(self._file))
        except InvalidInput as error:
            say("profile", f"the profile goes on as it was: {cause_of(error)}")
            return None

    def _version(self) -> tuple[int, int] | None:
        try:
            status = self._file.stat() if self._file else None
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_ino) if status else None
