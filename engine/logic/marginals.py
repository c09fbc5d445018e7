"""Probabilities given that the rules are kept, and the semantic loss: exact, on the diagrams of repair.

The variables are independent with the given probabilities; the diagram sums over every allowed assignment.
The semantic loss (Xu et al. 2018, A Semantic Loss Function for Deep Learning with Symbolic Knowledge) is
minus the logarithm of the probability that the rules are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import RuleError
from ..kernels.repair_marginals import sum_product
from ..ports import F64
from .diagram import MOST_WIDE, Diagram, diagram_of
from .normal import NormalForm
from .parts import Part, parts_of


@dataclass(frozen=True)
class Believed:
    """n records under the rules.

    Attributes:
        compliance: float64 (n,), the probability that all rules are kept.
        marginals: float64 (n, variables), the probability of each variable to be true given that the rules
            are kept; as given where they cannot be.
    """

    compliance: F64
    marginals: F64


class Beliefs:
    """Conditions probabilities on one set of rules.

    Args:
        form: the rules; facts have the probability 0 or 1.
        widest: states of one layer that a diagram may have.

    Raises:
        RuleError: some part of the rules has no diagram this narrow.
    """

    def __init__(self, form: NormalForm, widest: int = MOST_WIDE) -> None:
        self.form = form
        self._parts: list[tuple[Part, Diagram]] = []
        for part in parts_of(form):
            diagram = diagram_of(part, widest)
            if diagram is None:
                words = "The rules hang together too closely for exact probabilities."
                raise RuleError(
                    words, why="Their diagram would be too wide.", do="Use fewer or simpler rules."
                )
            self._parts.append((part, diagram))

    def __call__(self, chances: F64, against: F64 | None = None) -> Believed:
        """Return compliance and marginals of `chances`, float64 (n, variables), each 0 to 1.

        Args:
            chances: how probable each variable is to be true.
            against: how probable it is to be false, where that is not the rest: 1 for variables of which the
                rules have exactly one true, so that the probabilities of these are those of a choice.
        """
        against = 1.0 - chances if against is None else against
        compliance = np.ones(len(chances))
        marginals = chances.copy()
        for part, diagram in self._parts:
            given, rest = (np.ascontiguousarray(a[:, part.variables]) for a in (chances, against))
            total, true = np.empty(len(chances)), np.empty(given.shape)
            room = np.empty((2, len(diagram.nodes) + 2))
            sum_product(diagram.nodes, diagram.root, given, rest, room, total, true)
            compliance *= total
            decided = slice(part.given, None)
            possible = np.where(total > 0, total, 1.0)[:, None]
            found = np.where(total[:, None] > 0, true / possible, given)
            # Parts share facts alone, which no rule can change.
            marginals[:, part.variables[decided]] = found[:, decided]
        return Believed(compliance, marginals)

    def semantic_loss(self, logits: F64) -> tuple[F64, F64]:
        """Return the semantic loss in nats, float64 (n,), and its gradient by `logits`, (n, variables).

        The gradient is what the probabilities are, less what they are given the rules; that of facts is 0.
        The loss is infinite, and the gradient 0, where the rules cannot be kept.
        """
        chances = 0.5 * (1.0 + np.tanh(0.5 * logits))
        believed = self(chances)
        with np.errstate(divide="ignore"):
            loss = -np.log(believed.compliance)
        return loss, chances - believed.marginals
