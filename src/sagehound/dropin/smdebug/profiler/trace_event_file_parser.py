"""`smdebug.profiler.trace_event_file_parser`."""

from sagehound.profile.notebook.trace_event import TraceEvent

__all__ = ["TraceEvent"]
