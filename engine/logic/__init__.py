"""Logic: the rule language, exact repair of answers that break a rule, and why."""
