"""Jobs for the tests of warm starts: scripts in the environment that the contract gives them."""

import os
import re
from dataclasses import replace

from sagehound.jobs.allocator import variables as allocator_variables
from sagehound.jobs.environments import python_folder
from sagehound.jobs.variables import inherited, machine
from sagehound.testing.launcher_suite import ended, make_launch, text

#: One line, so that tracebacks name the same lines: notes how many objects the interpreter had when it was forked. The
#: first is the script's own, others are of the processes that it spawns.
NOTE = "import gc; open('../output/frozen', 'a').write(f'{gc.get_freeze_count()}\\n')"
#: How a script starts that is worth a template, and one that is worth the larger one.
HEAD = f"import numpy; {NOTE}\n"
TORCH_HEAD = f"import torch, torchvision, timm; {NOTE}\n"


def a_job(folder, script, *, files=(), arguments=(), environment=(), **rest):
    """A launch of `script` as `contract.launch` makes one; `files` are put beside it."""
    launch = make_launch(folder, script, **rest)
    for host in launch.hosts:
        for name, content in dict(files).items():
            (host.folder / "code" / name).parent.mkdir(parents=True, exist_ok=True)
            (host.folder / "code" / name).write_text(content)
    return replace(launch, hosts=tuple(_in_contract(host, folder, arguments, environment) for host in launch.hosts))


def _in_contract(host, folder, arguments, environment):
    surroundings = {
        **inherited(os.environ),
        **allocator_variables(),
        **machine(python_folder(folder, host.name), os.environ["PATH"], 2, ()),
        "HOST": host.name,
        **dict(environment),
    }
    return replace(host, environment=surroundings, argv=("python", "train.py", *arguments))


def seen(launcher, launch):
    """Code, cause, reason and log of a job, with what differs between any two jobs taken out."""
    launcher.start(launch)
    end = ended(launcher, launch.folder)
    differs = re.compile(f"{re.escape(str(launch.folder))}|0x[0-9a-f]{{8,}}|repeated [0-9]+ more")
    return end.code, end.cause, differs.sub("_", end.reason), [differs.sub("_", line) for line in text(launch.folder)]


def was_warm(folder):
    """Whether the script in `folder` came from a template, by its own word (see `HEAD`)."""
    return int((folder / "algo-1" / "output" / "frozen").read_text().split()[0]) > 0
