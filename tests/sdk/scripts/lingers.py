"""Prints the loss that it is given; a good one it would print again and again for a minute."""

import argparse
import time

parser = argparse.ArgumentParser()
parser.add_argument("--loss", type=float)
args = parser.parse_args()
for _ in range(600 if args.loss < 0.3 else 1):
    print(f"Test set: Average loss: {args.loss}", flush=True)
    time.sleep(0.1)
