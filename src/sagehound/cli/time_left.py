"""How long a tuning job will still take, by what its trials took so far."""

from __future__ import annotations

from statistics import median

from sagehound.tuning.report.study import Outcome, Study


def time_left_s(study: Study, now_s: float) -> float | None:
    """Seconds, or None where nothing can be said: before a first trial has ended, and where the number of trials is
    open. The first trials of a search may compute what the later ones find in a cache, so those that started after
    the first one ended count alone once there are any."""
    ended = [trial for trial in study.trials if trial.ended_s is not None and trial.outcome is not Outcome.FAILED]
    if not ended or study.max_trials is None:
        return None
    first_end_s = min(trial.ended_s or 0.0 for trial in ended)
    later = [trial for trial in ended if trial.created_s >= first_end_s] or ended
    usual_s = median((trial.ended_s or 0.0) - trial.created_s for trial in later)
    running = study.of(Outcome.RUNNING)
    waiting = max(study.max_trials - len(study.trials), 0)
    begun_s = sum(min(max(now_s - trial.created_s, 0.0), usual_s) for trial in running)
    left_s = (waiting + len(running)) * usual_s - begun_s
    return left_s / max(1, min(study.max_parallel, waiting + len(running)))


def in_words(left_s: float | None) -> str:
    """
    >>> in_words(None), in_words(3.2), in_words(48), in_words(200), in_words(8000)
    ('time left not known yet', 'a few seconds left', 'about 50 s left', 'about 3 min left', 'about 2.2 h left')
    """
    if left_s is None:
        return "time left not known yet"
    if left_s < 5:
        return "a few seconds left"
    if left_s < 95:
        return f"about {round(left_s, -1) or 5:.0f} s left"
    return f"about {left_s / 60:.0f} min left" if left_s < 5400 else f"about {left_s / 3600:.1f} h left"
