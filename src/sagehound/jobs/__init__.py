"""Running a training job: the container contract, the launcher, logs, metrics, packing."""
