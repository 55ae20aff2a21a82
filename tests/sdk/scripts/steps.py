"""A training script as short as it gets: two losses, one model file."""

import argparse
import os
import pathlib
import time

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--batch_size", type=int, default=32)
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--test-batch-size", type=int, default=100)
parser.add_argument("--pause", type=float, default=0)
parser.add_argument("--data", default=os.environ.get("SM_CHANNEL_TRAINING"))
args = parser.parse_args()

print("arguments", vars(args))
print("files", sorted(path.name for path in pathlib.Path(args.data).rglob("*.*")) if args.data else "none")
for epoch in range(args.epochs):
    time.sleep(args.pause)
    print(f"Test set: Average loss: {args.lr + 1 / args.batch_size + 0.1 / (epoch + 1):.6f}, Accuracy: 80/100 (80%)")
pathlib.Path(os.environ["SM_MODEL_DIR"], "weights.txt").write_text(str(args.lr))
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "notes.txt").write_text("done")
