"""`smdebug.profiler.analysis.notebook_utils.step_histogram`."""

from sagehound.profile.notebook.step_histogram import StepHistogram

__all__ = ["StepHistogram"]
