"""`smdebug.profiler.analysis.utils`."""
