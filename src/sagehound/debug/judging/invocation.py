"""Running a user's rule over a trial."""

from __future__ import annotations

from sagehound.debug.judging.custom_rule import NOTHING_TO_JUDGE, Rule
from sagehound.errors import NoMoreData, RuleEvaluationConditionMet, StepUnavailable


def invoke_rule(
    rule_obj: Rule, start_step: int | None = 0, end_step: int | None = None, raise_eval_cond: bool = False
) -> None:
    """Judge each saved global step from `start_step` up to, not with, `end_step`, waiting for those to come.

    Returns at `end_step`, or when the training has ended and all of it was judged. With `raise_eval_cond` the first
    time that the rule fires ends it with RuleEvaluationConditionMet; else it is logged, and the rule goes on unless
    the exception says `end_of_rule`.
    """
    step = start_step or 0
    rule_obj.logger.info("rule %s starts at step %d", rule_obj.rule_name, step)
    while end_step is None or step < end_step:
        try:
            rule_obj.invoke(step)
        except (*NOTHING_TO_JUDGE, StepUnavailable) as error:
            rule_obj.logger.debug("%s", error)
        except RuleEvaluationConditionMet as met:
            if raise_eval_cond:
                raise
            rule_obj.logger.warning("%s", met)  # seen also where nobody has set logging up
            if met.end_of_rule:
                break
        except NoMoreData as error:
            rule_obj.logger.info("%s", error)
            break
        step += 1
    rule_obj.logger.info("rule %s ends before step %d", rule_obj.rule_name, step)
