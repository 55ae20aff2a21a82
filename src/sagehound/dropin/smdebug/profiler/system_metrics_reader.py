"""`smdebug.profiler.system_metrics_reader`."""

from sagehound.profile.notebook.system_metrics_reader import (
    LocalSystemMetricsReader,
    S3SystemMetricsReader,
    SystemMetricsReader,
)

__all__ = ["LocalSystemMetricsReader", "S3SystemMetricsReader", "SystemMetricsReader"]
