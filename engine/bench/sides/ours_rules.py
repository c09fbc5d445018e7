"""Our side: the pipeline of repair over a whole stream."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...logic.normal import AtLeast, NormalForm
from ...logic.pipeline import Engine
from .rule_streams import keep, stream
from .serving import Work, serve


def make(job: dict[str, Any]) -> Work:
    """Return the work of repairing `job["records"]` records at once."""
    rules, predicted, costs = stream(job, int(job["records"]))
    variables = predicted.shape[1]
    constraints = tuple(AtLeast(tuple(literals), bound, (), i) for i, (literals, bound) in enumerate(rules))
    form = NormalForm(
        tuple(f"x{v}" for v in range(1, variables + 1)),
        0,
        constraints,
        tuple(f"rule {i}" for i in range(len(rules))),
        np.zeros(variables, np.bool_),
        np.zeros(variables, np.int64),
    )
    engine = Engine(form)
    decided = engine(predicted, costs)
    if not form.holds(decided.values).all():
        raise AssertionError("an answer breaks a rule")
    keep(job, job["name"], decided.costs)
    return lambda: engine(predicted, costs)


if __name__ == "__main__":
    serve(make)
