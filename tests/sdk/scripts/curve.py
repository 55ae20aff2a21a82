"""Trains for some epochs, of which each prints an objective that its learning rate decides; then saves a model."""

import argparse
import os
import pathlib
import time

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int, default=9)
parser.add_argument("--pause", type=float, default=0.1)
parser.add_argument("--save-from", type=int, default=10**9)
args = parser.parse_args()
print("mode", os.environ.get("MODE"), "checkpoints", sorted(os.listdir("/opt/ml/checkpoints")), flush=True)  # noqa: PTH208
for epoch in range(1, args.epochs + 1):
    if epoch >= args.save_from:
        pathlib.Path(os.environ["SM_MODEL_DIR"], "weights.txt").write_text(str(epoch))
    print(f"epoch {epoch} loss: {args.lr + 1 / epoch:.6f}", flush=True)
    pathlib.Path("/opt/ml/checkpoints/last.txt").write_text(f"{args.lr}")
    time.sleep(args.pause)
pathlib.Path(os.environ["SM_MODEL_DIR"], "weights.txt").write_text("whole")
