"""`smdebug.profiler.analysis.notebook_utils.metrics_histogram`."""

from sagehound.profile.notebook.metrics_histogram import MetricsHistogram

__all__ = ["MetricsHistogram"]
