"""All charts over the job's time: its machine, its losses and metrics, its steps."""

from __future__ import annotations

from collections.abc import Sequence

from sagehound.profile.profile import Profile
from sagehound.profile.report.chart import Chart
from sagehound.profile.report.charts_of_curves import curve_charts
from sagehound.profile.report.charts_of_steps import step_charts
from sagehound.profile.report.charts_of_system import system_charts
from sagehound.profile.report.course import Course
from sagehound.profile.report.digest import Digest
from sagehound.profile.report.digest import digests as digests_of


def charts(profile: Profile, course: Course, digests: Sequence[Digest] | None = None) -> tuple[Chart, ...]:
    """In the order in which a reader wants them: what was learned, how fast, and what the machine did meanwhile."""
    if course.length_s <= 0:
        return ()
    span = (course.begin_s, course.end_s)
    every = digests if digests is not None else digests_of(profile.system, span)
    return (*curve_charts(profile, span), *step_charts(course, span), *system_charts(every, span))
