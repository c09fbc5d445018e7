"""Checking a rule text while it is being written: the door to lint/text.py in the solver process.

Reading, lowering and solving all happen in that process, so the asking thread only waits on a pipe and holds
nothing that a window needs. A text that is close to the last one is checked from what is known of that.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from ..errors import SolverError
from .lint.findings import Checked as Checked
from .lint.findings import Example as Example
from .lint.findings import Finding as Finding
from .lint.findings import RuleStatus as RuleStatus
from .solver import Solver, checking_solver
from .vocabulary import Vocabulary
from .warming import kernels_ready

SECONDS = 2.0
PATIENCE = 0.5
_SLICE = 0.03  # seconds between two looks at whether the answer is still wanted
_GRACE = 5.0  # for reading the text, which nothing interrupts, and for a process that has to start


def get_ready() -> None:
    """Start what checks texts and what compiles kernels of repair, so that the first of each waits less."""
    with suppress(SolverError):  # the first text is told
        checking_solver().start()
    kernels_ready()


def check_rules(
    text: str,
    vocabulary: Vocabulary,
    seconds: float = SECONDS,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    origins: Mapping[str, str] | None = None,
    solver: Solver | None = None,
    patience: float = PATIENCE,
) -> Checked:
    """Return what there is to say of the rules in `text`, as far as it is found within `seconds`.

    A text that cannot be read gives one finding, with its place. For a worker thread: it waits, and takes
    less than a millisecond of the interpreter.

    Args:
        text: the rules.
        vocabulary: what they may speak of.
        seconds: for all questions.
        cancelled: asked every few hundredths of a second; where it says so the answer is an unfinished
            `Checked` without findings.
        origins: rule -> the pack it comes from, to be named where packs conflict.
        solver: which process to ask; the one for checking if left out.
        patience: seconds of these at most for facts that leave no answer, which may take any time.

    Raises:
        SolverError: python-sat or lark is not installed, or the process died or took too long.
    """
    solver = solver or checking_solver()
    form: dict[str, Any] = {
        "text": text,
        "vocabulary": [asdict(variable) for variable in vocabulary.variables],
        "origins": dict(origins or {}),
        "patience": patience,
    }
    key = hashlib.sha256(json.dumps(form).encode()).hexdigest()
    until = time.monotonic() + seconds
    while not cancelled():
        left = max(until - time.monotonic(), 0.0)
        told = solver.check(key, form, min(left, _SLICE), left + _GRACE)
        if "checked" in told:
            return Checked.of_json(told["checked"])
    return Checked()
