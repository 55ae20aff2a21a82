"""Several processes that train one model."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.debug.hooked import opened

_WORKER = """
import sys
import torch
from torch import nn
import torch.distributed as dist
from sagehound.debug.hook import Hook
from sagehound.debug.config.save_config import SaveConfig

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(0)
model = nn.parallel.DistributedDataParallel(nn.Linear(2, 1))
hook = Hook(sys.argv[1], save_config=SaveConfig(save_interval=2), include_collections=["weights", "gradients"],
            include_workers=sys.argv[2], step=sys.argv[3])
hook.register_module(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(3):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(torch.full((1, 2), float(rank + 1))), torch.zeros(1, 1)).backward()
    optimizer.step()
hook.close()
dist.barrier()
dist.destroy_process_group()
# gloo's threads may abort a process that ends after its peer.
import os
os._exit(0)
"""


@pytest.mark.parametrize(("include", "step"), [("one", "forward"), ("all", "optimizer")])
def test_two_processes(tmp_path: Path, include: str, step: str) -> None:
    workers = ["worker_0", "worker_1"] if include == "all" else ["worker_0"]
    if not torch.distributed.is_available():
        pytest.skip("this torch has no torch.distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    command = [sys.executable, "-c", _WORKER, str(tmp_path / "t"), include, step]
    runs = [
        subprocess.Popen(command, env=common | {"RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    said = [run.communicate()[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    found = opened(tmp_path / "t")
    assert found.workers() == workers
    assert found.steps() == [0, 2]
    gradient = found.tensor("gradient/Linear_weight")
    assert gradient.workers(0) == workers
    assert found.tensor("MSELoss_output_0").steps() == [0, 2]
    if include == "all":
        # What the optimizers get is the mean over the workers.
        first, second = (gradient.value(0, worker=worker) for worker in workers)
        assert np.array_equal(first, second)
