"""`smdebug.profiler.analysis.notebook_utils.training_job`."""

from sagehound.profile.notebook.training_job import TrainingJob

__all__ = ["TrainingJob"]
