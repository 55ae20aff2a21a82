"""The debugger: what a training computes, saved while it runs, and rules that look for what goes wrong."""
