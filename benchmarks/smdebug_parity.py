"""What the original smdebug saves and what is saved here, of the same model with the same JSON configurations.

    python benchmarks/smdebug_parity.py [--original PYTHON]

PYTHON is an interpreter with smdebug 1.0.34, patched in one line as `debugger_overhead.py` does; without it one is made
below ~/.cache. Each side trains a small model for two epochs with TRAIN and EVAL under each configuration and lists
every (mode, step, tensor) that a trial then has, with its value and its reductions. Prints one line a configuration;
the exit status is 1 where something differs that is not told here (`told`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

_DROPIN = Path(__file__).resolve().parents[1] / "src/sagehound/dropin"


def _collection(name: str, **parameters: str) -> dict[str, Any]:
    return {"CollectionName": name, "CollectionParameters": {k.replace("__", "."): v for k, v in parameters.items()}}


def _document(*collections: dict[str, Any], **parameters: str) -> dict[str, Any]:
    hook = {name.replace("__", "."): value for name, value in parameters.items()}
    return {"HookParameters": hook, **({"CollectionConfigurations": list(collections)} if collections else {})}


_LOSS = "CrossEntropyLoss_output_0"
_NUMBERS = "min,max,mean,sum,abs_mean,abs_min,l2_norm,abs_l1_norm"
DOCUMENTS = {
    "nothing said": _document(),
    "losses": _document(save_interval="2"),
    "the seed's": _document(
        _collection(_LOSS, include_regex=_LOSS, train__save_interval="2", eval__save_interval="1"),
        train__save_interval="5",
        eval__save_interval="3",
    ),
    "weights, biases, gradients": _document(
        _collection("weights"),
        _collection("biases", save_interval="4"),
        _collection("gradients", start_step="3", end_step="9"),
        save_interval="3",
    ),
    "save_all": _document(save_interval="3", save_all="true"),
    "the collection all": _document(_collection("all"), save_interval="3"),
    "include_regex of the hook": _document(save_interval="4", include_regex="relu,fc.weight"),
    "own collection": _document(
        _collection("own", include_regex="relu_output,conv_input", eval__save_interval="2", train__start_step="4"),
        save_interval="5",
    ),
    "save_steps": _document(
        _collection("weights"), _collection("biases", train__save_steps="3"), save_interval="100", save_steps="1,2,9"
    ),
    "reductions": _document(
        _collection("weights"),
        _collection("gradients", reductions="abs_max"),
        save_interval="3",
        reductions=_NUMBERS,
    ),
    "two collections of one tensor": _document(
        _collection("weights", save_interval="2"),
        _collection("fc", include_regex="fc.weight", save_interval="3", reductions="max"),
        save_interval="6",
    ),
    "start and end": _document(_collection("biases"), save_interval="2", start_step="3", end_step="10"),
}


def told(name: str, key: tuple[str, int, str]) -> str:
    """Why this tensor is saved on one side alone; "" where nothing says why."""
    if key[2].startswith("optimizer/"):
        return "optimizer_variables is filled here"
    if name == "the collection all":
        return "all holds every tensor, as documented"
    if name == "save_steps" and key[1] == 0:
        return "save_steps override the interval, as documented"
    return ""


def train(document: dict[str, Any]) -> dict[tuple[str, int, str], tuple[Any, dict[str, float]]]:
    """Train under a configuration and read back what was saved; in a process of either side."""
    import smdebug.pytorch as smd
    import torch

    torch.manual_seed(0)
    folder = Path(tempfile.mkdtemp())
    (folder / "hook.json").write_text(json.dumps({**document, "LocalPath": str(folder / "tensors")}))
    layers = {"conv": torch.nn.Conv2d(1, 2, 3), "relu": torch.nn.ReLU(), "bn": torch.nn.BatchNorm2d(2)}
    model = torch.nn.Sequential()
    for name, layer in {**layers, "flat": torch.nn.Flatten(), "fc": torch.nn.Linear(72, 3)}.items():
        model.add_module(name, layer)
    loss, optimizer = torch.nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    hook = smd.Hook.create_from_json_file(str(folder / "hook.json"))
    hook.register_module(model)
    hook.register_loss(loss)
    images, labels = torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 0])
    for _ in range(2):
        hook.set_mode(smd.modes.TRAIN)
        for _ in range(7):
            optimizer.zero_grad()
            loss(model.train()(images), labels).backward()
            optimizer.step()
        hook.set_mode(smd.modes.EVAL)
        with torch.no_grad():
            for _ in range(4):
                loss(model.eval()(images), labels)
    hook.close()
    smd.del_hook()
    return _saved(smd.create_trial(str(folder / "tensors")), (smd.modes.TRAIN, smd.modes.EVAL))


def _saved(trial: Any, modes: Any) -> dict[tuple[str, int, str], tuple[Any, dict[str, float]]]:
    found = {}
    for name in trial.tensor_names():
        tensor = trial.tensor(name)
        for mode in modes:
            for step in tensor.steps(mode=mode):
                value = None
                with contextlib.suppress(Exception):  # only its reductions were saved
                    value = np.asarray(tensor.value(step, mode=mode), np.float64)
                reductions = tensor.reduction_values(step, mode=mode)
                # The original's names are pairs of the name and whether it is of absolute values.
                names = {key: f"abs_{key[0]}" if key[1] else key[0] for key in reductions if isinstance(key, tuple)}
                numbers = {names.get(key, key): float(number) for key, number in reductions.items()}
                found[mode.name, step, name] = (value, numbers)
    return found


def _side(python: str, path: str) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile() as file:
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        command = [python, __file__, "--into", file.name]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found: dict[str, Any] = pickle.loads(Path(file.name).read_bytes())
    return found


def _same(one: tuple[Any, dict[str, float]], two: tuple[Any, dict[str, float]]) -> bool:
    if (one[0] is None) != (two[0] is None) or one[1].keys() != two[1].keys():
        return False
    values = one[0] is None or (one[0].shape == two[0].shape and np.allclose(one[0], two[0], rtol=1e-4, atol=1e-5))
    return bool(values and all(np.isclose(one[1][name], two[1][name], rtol=1e-3, atol=1e-6) for name in one[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--original", help="an interpreter with the original, patched")
    parser.add_argument("--into", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.into:
        Path(options.into).write_bytes(pickle.dumps({name: train(given) for name, given in DOCUMENTS.items()}))
        return
    if not options.original:
        from debugger_overhead import original

        options.original = str(original())
    theirs, ours = _side(options.original, ""), _side(sys.executable, str(_DROPIN))
    untold = 0
    for name in DOCUMENTS:
        a, b = theirs[name], ours[name]
        apart = [key for key in a.keys() ^ b.keys() if not told(name, key)]
        unlike = [key for key in a.keys() & b.keys() if not _same(a[key], b[key])]
        why = {told(name, key) for key in a.keys() ^ b.keys()} - {""}
        print(f"{name:30} {len(a.keys() & b.keys()):4} the same, {len(a.keys() - b.keys())} there alone, "
              f"{len(b.keys() - a.keys())} here alone{''.join(f' ({text})' for text in sorted(why))}")  # fmt: skip
        untold += len(apart) + len(unlike)
        if apart or unlike:
            print(f"    untold: {sorted(apart)[:5]} {sorted(unlike)[:5]}")
    sys.exit(1 if untold else 0)


if __name__ == "__main__":
    main()
