"""A rule of a user's own, as the debugger's guide writes one."""

from smdebug.rules.rule import Rule


class LossAbove(Rule):
    def __init__(self, base_trial, limit="1.0"):
        super().__init__(base_trial)
        self.limit = float(limit)

    def invoke_at_step(self, step):
        for name in self.base_trial.tensor_names(collection="losses"):
            value = self.base_trial.tensor(name).value(step)
            if value.mean() > self.limit:
                return True
        return False
