"""The report on a profile: one HTML file that needs nothing else, and a notebook that draws the same charts."""

from sagehound.profile.report.write import write_report

__all__ = ["write_report"]
