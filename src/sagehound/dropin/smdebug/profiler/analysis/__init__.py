"""`smdebug.profiler.analysis`."""
