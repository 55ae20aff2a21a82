"""`smdebug.profiler.system_profiler_file_parser`."""

from sagehound.profile.notebook.system_events import ProfilerSystemEvent

__all__ = ["ProfilerSystemEvent"]
