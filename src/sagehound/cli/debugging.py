"""`sagehound debug`: any training script, watched by the debugger's rules; no service, no change to the script."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import sagehound
from sagehound.cli.console import AsJson, progress, say, say_json
from sagehound.cli.findings import counted, place, say_findings
from sagehound.errors import AlreadyExists, NotFound

if TYPE_CHECKING:
    from sagehound.debug.judging.evaluation import Evaluation

_DROPIN = Path(sagehound.__file__).parent / "dropin"
_POLL_S = 0.3
#: What the rules look at, in the words of a hook's configuration.
_COLLECTIONS = {
    "weights": "",
    "biases": "",
    "gradients": "",
    "losses": "",
    "loss_input": "[Ll]oss_input",
    "input_image": ".*hybridsequential0_input_0",
    "input_sequence": ".*embedding0_input_0",
    "relu_output": ".*relu_output",
    "activation_input": ".*activation_input",
}
#: They judge what they are told of (another run, bounds, tokens), or by a limit that few classifiers meet.
_ON_REQUEST = ("SimilarAcrossRuns", "TensorVariance", "NLPSequenceRatio", "Confusion")


def debug(
    script: Annotated[Path, typer.Argument(metavar="SCRIPT.py", help="A training script, as you run it.")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[ARGUMENTS...]", help="The script's own.")] = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Save each so many steps.")] = 10,
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="NAME[:PARAMETER=VALUE;...]", help="Only this one; may repeat."),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FOLDER", help="Keep the tensors, for create_trial(FOLDER).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a training script with the debugger's hook and its rules, and print what they find.

    SimilarAcrossRuns, TensorVariance, NLPSequenceRatio and Confusion are judged only where --rule names them, with
    parameters where they need some: --rule TensorVariance:max_threshold=10. Options come before the script's name.
    The exit status is the script's.
    """
    if not script.is_file():
        raise NotFound(f"there is no file {str(script)!r} in {Path.cwd()}; give its path")
    if keep is not None and keep.exists():
        raise AlreadyExists(f"{keep} exists; name a folder that does not, so that two runs do not mix")
    with tempfile.TemporaryDirectory(prefix="sagehound-debug-") as work:
        tensors = Path(work, "tensors") if keep is None else keep.absolute()
        configuration = Path(work, "hook.json")
        configuration.write_text(json.dumps(_hook(tensors, every)))
        evaluation = _evaluation(tensors, rule)
        status = _run([sys.executable, str(script), *(arguments or [])], configuration, evaluation)
        _report(evaluation, as_json)
    raise typer.Exit(status)


def _hook(tensors: Path, every: int) -> dict[str, Any]:
    return {
        "LocalPath": str(tensors),
        "HookParameters": {"save_interval": str(every)},
        "CollectionConfigurations": [
            {"CollectionName": name, "CollectionParameters": {"include_regex": regex} if regex else {}}
            for name, regex in _COLLECTIONS.items()
        ],
    }


def _evaluation(tensors: Path, names: list[str] | None) -> Evaluation:
    from sagehound.debug.judging.evaluation import Evaluation
    from sagehound.debug.rules.registry import RULES, build
    from sagehound.debug.store.open import open_source
    from sagehound.debug.trial import Trial

    chosen = names or [name for name in RULES if name not in _ON_REQUEST]
    rules = {text: build(*_rule(text)) for text in chosen}
    return Evaluation(Trial(open_source(str(tensors)), name="debug", path=str(tensors), look=False), rules)


def _rule(text: str) -> tuple[str, dict[str, str]]:
    """
    >>> _rule("Overfit:patience=3;mode=TRAIN"), _rule("Labels")
    (('Overfit', {'patience': '3', 'mode': 'TRAIN'}), ('Labels', {}))
    """
    name, _, rest = text.partition(":")
    pairs = [part.partition("=") for part in rest.split(";") if part]
    return name, {key.strip(): value for key, _, value in pairs}


def _run(argv: list[str], configuration: Path, evaluation: Evaluation) -> int:
    """The script's exit status, once the rules have judged all that it saved."""
    path = os.pathsep.join(filter(None, (str(_DROPIN), os.environ.get("PYTHONPATH"))))
    asks = {"SAGEHOUND_AUTO_HOOK": "1", "SMDEBUG_CONFIG_FILE_PATH": str(configuration), "PYTHONPATH": path}
    process = subprocess.Popen(argv, env=os.environ | asks)
    # Ctrl-C is the script's to answer; what it saved until then is judged.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while process.poll() is None:
            time.sleep(_POLL_S)
            evaluation.trial.refresh_data()
            _announce(evaluation)
    finally:
        signal.signal(signal.SIGINT, before)
    evaluation.trial.end()
    _announce(evaluation)
    evaluation.finish()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _announce(evaluation: Evaluation) -> None:
    for finding in evaluation.advance():
        found = {"step": finding.step, "mode": finding.mode, "tensor": finding.tensor, "module": finding.module}
        progress(f"sagehound: {finding.rule} fired: {place(found)}")


def _report(evaluation: Evaluation, as_json: bool) -> None:
    import msgspec

    judgements = {name: judged.status(time.time()) for name, judged in evaluation.judgements.items()}
    findings = [msgspec.to_builtins(finding) for status in judgements.values() for finding in status.findings]
    if as_json:
        say_json({"findings": findings, "rules": {n: [s.status.value, s.details] for n, s in judgements.items()}})
        return
    steps = counted(len(evaluation.trial.saved.numbers()), "saved step")
    fired = sum(bool(status.findings) for status in judgements.values())
    say(f"\n{counted(len(findings), 'finding')} by {counted(fired, 'rule')} over {steps}")
    say_findings(findings)
    clean = [name for name, status in judgements.items() if status.status == "NoIssuesFound"]
    if clean:
        say(f"\nFound nothing: {', '.join(clean)}")
    unable = {name: _reason(status.details) for name, status in judgements.items() if status.status == "Error"}
    if len(unable) == len(judgements) and len(set(unable.values())) == 1:
        say(f"Nothing could be judged: {next(iter(unable.values()))}")
        return
    if unable:
        say("Could not judge:")
    for name, reason in unable.items():
        say(f"  {name}: {reason}")


def _reason(details: str) -> str:
    """Why a rule could not judge, without what would change it: of most scripts there is nothing to change.

    >>> _reason("The rule Labels could judge nothing: the loss was given no labels; give it some")
    'the loss was given no labels'
    """
    _, nothing, reason = details.partition(" could judge nothing: ")
    return reason.partition(";")[0] if nothing else details
