"""What the debugger and the profiler share: how they speak up in a training, and how rules are asked and answer."""
