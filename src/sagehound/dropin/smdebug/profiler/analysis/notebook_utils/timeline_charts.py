"""`smdebug.profiler.analysis.notebook_utils.timeline_charts`."""

from sagehound.profile.notebook.timeline_charts import TimelineCharts

__all__ = ["TimelineCharts"]
