"""Says that it began, then waits until the file named by its argument exists, or for ever."""

import argparse
import os
import pathlib
import time

parser = argparse.ArgumentParser()
parser.add_argument("--until", default="/nowhere")
args, _ = parser.parse_known_args()
pathlib.Path(os.environ["SM_MODEL_DIR"], "so-far.txt").write_text("half")
print("begun", flush=True)
while not pathlib.Path(args.until).exists():
    time.sleep(0.05)
print("Test set: Average loss: 0.5")
