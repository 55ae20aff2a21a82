"""Starting jobs from a template: a process that has imported already what their scripts import (`jobs/template.py`).

One template at a time, made when the first job comes, which itself starts plainly; made anew when another is wanted:
other packages on the disk, another environment, more modules. Where a script imports nothing that takes long, the fork
still saves the starts of two interpreters. Whatever goes wrong with it, jobs start plainly.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from sagehound.jobs.environments import service_sites
from sagehound.jobs.fingerprint import fingerprint
from sagehound.jobs.launcher import Host, Launch
from sagehound.jobs.script_needs import KNOWN, needs
from sagehound.jobs.start_environment import start_environment
from sagehound.jobs.variables import DROPIN
from sagehound.jobs.warm_process import Silent, WarmProcess

_LOG = logging.getLogger(__name__)
#: A template with nothing to do ends after this time, and gives back its memory.
IDLE_S = 600.0
#: A job that was not taken after this time is started plainly, and the template is ended.
_ANSWER_S = 20.0
#: After so many templates that died, none is started until the packages change.
_MOST_DEATHS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The template that a job would start from: started in `environment`, and best with `modules` imported."""

    modules: frozenset[str]
    environment: dict[str, str]


class WarmStarts:
    """Starts jobs from a template where that is the same as a plain start. Used by several threads."""

    def __init__(self, idle_s: float = IDLE_S, answer_s: float = _ANSWER_S) -> None:
        self._idle_s, self._answer_s = idle_s, answer_s
        self._sites = service_sites()
        self._lock = threading.Lock()
        self._now: WarmProcess | None = None
        self._coming: WarmProcess | None = None
        self._missed: Need | None = None
        self._unfit: set[str] = set()
        self._deaths = 0
        self._packages = ""

    def start(self, launch: Launch) -> bool:
        """Whether the job in `launch.folder` was started, as it lies there; where not, it is to be started plainly."""
        need = need_of(launch)
        if need is None:
            return False
        with self._lock:
            template = self._template(need)
            answer = template.ask(launch.folder) if template else None
        if template is None or answer is None:
            return False
        try:
            return answer.taken(self._answer_s)
        except Silent as problem:
            _LOG.warning("job %s starts plainly: its warm start %s", launch.job, problem)
            self._end(template)
            return False

    def await_ready(self, timeout_s: float) -> bool:
        """Whether a template that is on its way gets ready in this time; True at once where one is."""
        until = time.monotonic() + timeout_s
        while True:
            with self._lock:
                coming = self._coming
                self._arrive()
                if self._coming is None:
                    return self._now is not None and self._now.living
            if coming is None or time.monotonic() >= until:
                return False
            coming.wait(until - time.monotonic())

    @property
    def process(self) -> int:
        """The process number of the template that is ready; 0 where there is none."""
        with self._lock:
            return self._now.pid if self._now and self._now.living else 0

    def close(self) -> None:
        """End the templates. Jobs that were started from them go on."""
        with self._lock:
            for template in (self._now, self._coming):
                if template is not None:
                    template.end()
            self._now = self._coming = None

    def _end(self, template: WarmProcess) -> None:
        with self._lock:
            template.end()
            if self._now is template:
                self._now = None

    def _template(self, need: Need) -> WarmProcess | None:
        """The one that is ready for this need. Sees to it that a later job finds a better one, where there could be."""
        self._arrive()
        self._see_packages()
        now = self._now
        if now is not None and not now.living:
            now = self._now = None
        usable = now is not None and _alike(now, need)
        if usable:
            self._missed = None
        wanted = need.modules - self._unfit_of(need.modules)
        if not (usable and now is not None and wanted <= now.modules):
            self._begin(Need(modules=wanted, environment=need.environment), usable)
        return now if usable else None

    def _begin(self, need: Need, usable: bool) -> None:
        """Start the next template, unless one is on its way, or the present one may well be wanted again."""
        seen_before, self._missed = need == self._missed, need
        if self._coming is not None or self._deaths >= _MOST_DEATHS:
            return
        if self._now is not None and not usable and not seen_before:
            return
        modules = need.modules | (self._now.modules if self._now and usable else frozenset())
        try:
            self._coming = WarmProcess(modules, need.environment, self._sites, str(DROPIN), self._idle_s)
        except OSError as problem:
            self._count_death(f"could not be started: {problem}")

    def _arrive(self) -> None:
        """Take the template that is on its way, if it is ready; learn from one that will never be."""
        coming = self._coming
        if coming is None or not coming.settled():
            return
        self._coming = None
        if coming.ready:
            if self._now is not None:
                self._now.end()
            self._now, self._missed = coming, None
            return
        coming.end()
        if coming.unfit:
            name, why = coming.unfit
            _LOG.warning("jobs start without %s imported ahead: %s", name, why)
            self._unfit.add(name)
        else:
            self._count_death("ended before it was ready")

    def _count_death(self, what: str) -> None:
        self._deaths += 1
        _LOG.warning("jobs start plainly: the process that they would be forked from %s", what)

    def _unfit_of(self, modules: frozenset[str]) -> set[str]:
        return {name for name in modules if name.split(".")[0] in self._unfit}

    def _see_packages(self) -> None:
        packages = fingerprint(self._sites, KNOWN)
        if packages == self._packages:
            return
        self._packages = packages
        self._unfit.clear()
        self._deaths = 0
        for template in (self._now, self._coming):
            if template is not None:
                template.end()
        self._now = self._coming = None


def _alike(template: WarmProcess, need: Need) -> bool:
    """Whether what was read when the template was started is as it would be for the job."""
    one, other = (
        start_environment(each, str(DROPIN), libraries=bool(template.modules))
        for each in (template.environment, need.environment)
    )
    return one == other


def need_of(launch: Launch) -> Need | None:
    """What the job's first host needs; None where it starts plainly. The other hosts, where they differ, do so too."""
    host = launch.hosts[0]
    if sys.platform != "linux" or any(one.requirements for one in launch.hosts) or not _is_script(host):
        return None
    environment = start_environment(host.environment, str(DROPIN))
    modules = needs(host.folder / "code", host.argv[1]) if environment is not None else None
    return None if modules is None or environment is None else Need(modules=modules, environment=environment)


def _is_script(host: Host) -> bool:
    program, *arguments = host.argv
    return program in ("python", "python3", sys.executable) and bool(arguments) and Path(arguments[0]).suffix == ".py"
