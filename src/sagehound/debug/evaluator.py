"""The process that judges a job's rules beside its training: `python -m sagehound.debug.evaluator FOLDER`.

FOLDER/request.json says what to judge (`Request`); FOLDER/<rule's name>.json is what each rule says so far
(`rule_status.RuleStatus`), written when it changes. It ends when the whole trial was judged: the hook was closed, or
FOLDER/ended tells that the job is over and all is uploaded. It ends at once when its parent dies. FOLDER/alive is
touched whenever a step was judged.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec

from sagehound.debug.judging import custom_source
from sagehound.debug.judging.evaluation import Evaluation, failure
from sagehound.debug.rule import Rule
from sagehound.debug.rules.registry import build
from sagehound.debug.store.open import open_source
from sagehound.debug.trial import Trial
from sagehound.errors import InvalidInput, MissingCollectionFiles
from sagehound.watching.parent import orphaned
from sagehound.watching.rule_status import RuleStatus, Status, write

_NICENESS = 10
#: After news the next look comes soon; the longer nothing comes, the rarer are the looks.
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 1.0
_TRIES_AT_THE_END = 10
#: What a rule prints beyond it is forgotten.
_LONGEST_LOG_BYTES = 10_000_000
_LOG = logging.getLogger("sagehound.debug.rules")


class RuleRequest(msgspec.Struct, frozen=True):
    """One rule: its name in the job's request, the rule's or class's name, its parameters, and for a user's own rule
    the path of its source."""

    name: str
    rule: str
    parameters: dict[str, str] = {}
    source: str | None = None


class Request(msgspec.Struct, frozen=True):
    """What to judge: a trial's path or S3 URI, by which rules. `job` is the trial's name."""

    trial: str
    rules: list[RuleRequest]
    job: str = ""


class Evaluator:
    """The loop: look for news, judge it, write what the rules say."""

    def __init__(self, folder: Path, request: Request, trial: Trial, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._trial = trial
        self._written: dict[str, RuleStatus] = {}
        self._news_at = clock()
        self._seen = -1
        made = {each.name: self._make(each) for each in request.rules}
        self._evaluation = Evaluation(trial, {name: rule for name, rule in made.items() if rule is not None})
        self.publish()

    def turn(self) -> bool:
        """Look once, and judge what is there for as long as the parent lives; whether all is done."""
        ended = (self._folder / "ended").exists()
        self._look(ended)
        while self._evaluation.waits() and not orphaned():
            self._evaluation.advance(most=1)
            self.publish()
            (self._folder / "alive").touch()
        if self._evaluation.over:
            self._evaluation.finish()
            self.publish()
            return True
        self._watch_silence()
        self.publish()
        return False

    def fail(self, reason: str) -> None:
        """No rule can go on."""
        for judgement in self._evaluation.judgements.values():
            judgement.over = True
            judgement.error = judgement.error or reason
        self.publish()

    def idle_s(self) -> float:
        """How long nothing new has been saved."""
        return self._clock() - self._news_at

    def publish(self) -> None:
        """Write what has changed."""
        for name, judgement in self._evaluation.judgements.items():
            self._publish(name, judgement.status(self._clock()))

    def _publish(self, name: str, status: RuleStatus) -> None:
        old = self._written.get(name)
        if old is None or msgspec.structs.replace(status, updated_at=old.updated_at) != old:
            self._written[name] = status
            write(self._folder, name, status)

    def _make(self, request: RuleRequest) -> Rule | None:
        try:
            if request.source is None:
                return build(request.rule, request.parameters)
            custom = custom_source.load(Path(request.source), request.rule, request.parameters, self._trial)
            return cast("Rule", custom)  # its name is an instance's
        except Exception as error:  # noqa: BLE001 - whatever it is, the other rules go on
            reason = str(error) if isinstance(error, InvalidInput) else failure(error, "when it was made")
            self._publish(request.name, RuleStatus(status=Status.ERROR, details=reason, updated_at=self._clock()))
            return None

    def _look(self, ended: bool) -> None:
        if ended:
            self._trial.end()
        else:
            self._trial.refresh_data()
        count = len(self._trial.saved.numbers())
        if count != self._seen:
            self._seen, self._news_at = count, self._clock()

    def _watch_silence(self) -> None:
        self._evaluation.idle(self.idle_s())


def watch_over(most_bytes: int = _LONGEST_LOG_BYTES) -> None:
    """End this process when its parent is gone, and keep its log small, whatever a user's rule is doing; never
    returns."""
    while not orphaned():
        time.sleep(1.0)
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.fstat(2).st_mode) and os.fstat(2).st_size > most_bytes:
                os.ftruncate(2, 0)
    os._exit(1)


def run(folder: Path, sleep: Callable[[float], None] = time.sleep) -> None:
    """Judge what the folder asks for, to the end."""
    request = msgspec.json.decode((folder / "request.json").read_bytes(), type=Request)
    trial = Trial(open_source(request.trial), name=request.job, path=request.trial, look=False)
    evaluator = Evaluator(folder, request, trial)
    failures = 0
    while not orphaned():
        try:
            if evaluator.turn():
                return
            failures = 0
        except MissingCollectionFiles as error:
            evaluator.fail(str(error))
            return
        except Exception as error:  # noqa: BLE001 - a store that is being restarted, or cannot be reached just now
            _LOG.warning("cannot read %s: %s", request.trial, error)
            failures += (folder / "ended").exists()
            if failures == _TRIES_AT_THE_END:
                evaluator.fail(f"the tensors could not be read: {failure(error, 'at the end of the job')}")
                return
        sleep(min(_LONGEST_PAUSE_S, max(_SHORTEST_PAUSE_S, evaluator.idle_s() / 4)))


def main(argv: list[str]) -> int:
    """The process: its exit status is 0 also where rules fired or failed, 2 where the request cannot be read."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    if len(argv) != 1:
        print("usage: python -m sagehound.debug.evaluator FOLDER", file=sys.stderr)
        return 2
    os.nice(_NICENESS)
    try:
        run(Path(argv[0]))
    except (OSError, msgspec.MsgspecError) as error:
        print(f"{argv[0]}/request.json: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    # One core's spare time: before NumPy is asked for anything that it would share out.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    threading.Thread(target=watch_over, daemon=True).start()
    sys.exit(main(sys.argv[1:]))
