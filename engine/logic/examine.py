"""Looking at a rule set without any record: can it be kept, what does it fix, which rules say nothing new.

The door to lint/ for rules in normal form: one question, asked in the solver process.
"""

from __future__ import annotations

from .lint.examined import Examined as Examined
from .lint.examined import Reasons as Reasons
from .lint.question import Question
from .lint.question import kept_variables as kept_variables
from .normal import NormalForm
from .solver import Solver

SECONDS = 20.0


def examined(form: NormalForm, solver: Solver, seconds: float = SECONDS) -> Examined:
    """Return what `solver` finds out about `form` within `seconds`.

    A rule that holds whatever the values (a tautology) counts as implied, by no rule.

    Raises:
        SolverError: python-sat is not installed, or the process gave up.
    """
    return Examined.of(solver.examine(*Question.of(form).coded(), seconds))
