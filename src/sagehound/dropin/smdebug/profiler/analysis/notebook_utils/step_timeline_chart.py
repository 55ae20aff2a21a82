"""`smdebug.profiler.analysis.notebook_utils.step_timeline_chart`."""

from sagehound.profile.notebook.step_timeline_chart import StepTimelineChart

__all__ = ["StepTimelineChart"]
