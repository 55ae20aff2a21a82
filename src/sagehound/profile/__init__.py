"""The profiler: what the machine did while a training ran, why it was slow, and a report worth reading."""
