"""Looking at a rule set without any record: can it be kept, what does it fix, which rules say nothing new.

The door to lint/ for rules in normal form: one question, asked in the solver process.
"""

from __future__ import annotations

import time
from contextlib import suppress

from .lint.examined import Examined as Examined
from .lint.examined import Reasons as Reasons
from .lint.question import Question
from .lint.question import kept_variables as kept_variables
from .normal import NormalForm
from .solver import Solver
from .unswept import unswept

SECONDS = 20.0
_LEAST = 0.1  # seconds to hand rules over, however little time there is


def examined(form: NormalForm, solver: Solver, seconds: float = SECONDS) -> Examined:
    """Return what `solver` finds out about `form` within `seconds`; what is not found out in time is open.

    A rule that holds whatever the values (a tautology) counts as implied, by no rule.

    Raises:
        SolverError: python-sat is not installed, or the process died.
    """
    began = time.monotonic()
    told = None
    with unswept(), suppress(TimeoutError):
        asked = Question.of(form).coded(began + max(seconds, _LEAST))
        took = time.monotonic() - began
        if took <= max(seconds, _LEAST) / 2:  # to hand it over takes at least as long again
            told = solver.examine(*asked, max(seconds - took, 0.0))
    return Examined.of(told) if told else Examined(None, open=tuple(range(len(form.rules))))
