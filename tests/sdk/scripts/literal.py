"""Writes to the literal /opt/ml, waits for its twin to have done the same, and reads its own back."""

import argparse
import json
import os
import pathlib
import time

parser = argparse.ArgumentParser()
parser.add_argument("--me")
parser.add_argument("--twin")
parser.add_argument("--meeting")
args = parser.parse_args()
mine = pathlib.Path("/opt/ml/model/who.txt")
mine.write_text(args.me)
meeting = pathlib.Path(args.meeting)
(meeting / args.me).touch()
deadline = time.monotonic() + 60
while not (meeting / args.twin).exists() and time.monotonic() < deadline:
    time.sleep(0.05)
print("met", (meeting / args.twin).exists(), "mine says", mine.read_text())
print("leaked", sorted(name for name, value in os.environ.items() if "leaked" in value))
print("job", json.loads(pathlib.Path("/opt/ml/input/config/resourceconfig.json").read_text())["current_host"])
