"""`smdebug.profiler.analysis.notebook_utils.heatmap`."""

from sagehound.profile.notebook.heatmap import Heatmap

__all__ = ["Heatmap"]
