"""An ensemble of networks: members that vote, each trained on a sample of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, whole
from ..kernels.curves import logarithm, softmax
from ..losses import cross_entropy
from ..node import Cost, Family, Learning, Node, Operator, Predictor, ShapeError, Specs, Work
from ..ports import F32, I64, U64, Array, Arrays, Port, Spec

HOWS = {"soft": "Soft: the mean of the members' probabilities", "hard": "Hard: one vote a member"}
TRAININGS = {
    "apart": "Apart: each member by its own loss, on its own bootstrap sample",
    "together": "Together: the loss of the vote",
}
_MEMBERS = "abcdefg"
_HELP = "Scores of a member"


@dataclass(frozen=True)
class Vote(Node):
    """y = ln(mean over members of softmax(s)), or the number of members whose largest score it is.

    Of equal numbers of votes the larger mean probability wins: it counts half a vote at most. Trained apart,
    each member m learns by the cross-entropy of its own scores, weighed by how often its bootstrap sample
    holds a record: a count drawn from Poisson(1) by seed, member and record, the same in every epoch. That is
    drawing as many records as there are with replacement, for many records (Oza 2005, Online Bagging and
    Boosting). The loss of the training settings is then that of the vote and moves nothing. Trained
    together, the gradient of the soft vote goes to all. Source: Zhu et al. 2019 (BENN), arXiv:1806.07550.

    Attributes:
        how: what the members' scores become.
        training: whether members learn apart or together.
        seed: where the draw of the samples starts.
    """

    kind: ClassVar[str] = "bnn.vote"
    title: ClassVar[str] = "Vote of an ensemble"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.users-three"
    order: ClassVar[int] = 440
    summary: ClassVar[str] = "Two to seven networks vote; each learns from a bootstrap sample of its own"
    citation: ClassVar[str] = "Zhu et al. 2019, arXiv:1806.07550"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (
        *(Port(name, ("scores",), _HELP, required=name in "ab") for name in _MEMBERS),
        Port("labels", ("labels",), "The right class, for members that learn apart", required=False),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("scores", ("scores",), "The vote, as logits"),)

    how: str = choice("soft", HOWS, "What the members' scores become")
    training: str = choice("apart", TRAININGS, "What each member learns from")
    seed: int = whole(0, 0, 2**31 - 1, "Where the draw of the samples starts")

    def specs(self, *inputs: Spec | None) -> Specs:
        members = _members(inputs)
        first = members[0]
        for name, spec in zip(_MEMBERS, inputs, strict=False):
            if spec is not None and spec.shape != first.shape:
                given = f"a is {first.words()}, {name} is {spec.words()}"
                words = f"All members must score the same classes; {given}."
                raise ShapeError(words, do="Give their last layers as many units.", port=name)
        if self.training == "apart" and inputs[-1] is None:
            words = "Members that learn apart need the labels."
            raise ShapeError(words, do="Wire the labels, or choose Together.", port="labels")
        if inputs[-1] is not None and inputs[-1].several:
            words = "It votes on one class a record; the data has several labels."
            raise ShapeError(words, do="Choose one label column in the data source.", port="labels")
        classes = next((m.classes for m in members if m.classes), ())
        return (Spec("scores", first.shape, classes=classes, several=False),)

    def cost(self, *inputs: Spec | None) -> Cost:
        members = _members(inputs)
        return Cost(0, (Work(4 * sum(m.elements for m in members)),))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return lambda *arrays: (self.voted([_shares(a) for a in arrays[:-1] if a is not None]),)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        return VoteOperator(self, weights)

    def voted(self, shares: list[F32]) -> F32:
        """Return the scores, float32 (n, classes), of members' probabilities, added up in their order."""
        mean = np.zeros(shares[0].shape, np.float32)
        for p in shares:
            mean += p
        mean *= np.float32(1 / len(shares))
        if self.how == "soft":
            out = np.empty_like(mean)
            logarithm(mean.ravel(), out.ravel())
            return out
        votes = mean * np.float32(0.5)
        for p in shares:
            votes[np.arange(len(p)), p.argmax(axis=1)] += 1
        return votes

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Vote", self.how), ("Members learn", self.training))


class VoteOperator(Operator):
    """The vote in training; what each member is told depends on whether they learn apart.

    Records that are not of the training part are in nobody's sample: there the gradient is that of the vote.
    """

    def __init__(self, node: Vote, weights: Arrays) -> None:
        super().__init__(weights)
        self._node = node
        self._scores: tuple[Array | None, ...] = ()
        self._labels: I64 = np.empty(0, np.int64)
        self._shares: list[F32] = []
        self._agreed = 0.0

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        *self._scores, labels = inputs  # type: ignore[assignment]
        self._labels = labels
        self._shares = [_shares(s) for s in self._scores if s is not None]
        answers = np.stack([p.argmax(axis=1) for p in self._shares])
        self._agreed = float((answers == answers[0]).all(axis=0).mean()) if answers.size else 0.0
        return (self._node.voted(self._shares),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,) * (len(self._scores) + 1)
        places = self.moment.places if self._node.training == "apart" else None
        told = self._together(grad) if places is None else self._apart(places)
        members = iter(told)
        return (*(None if s is None else next(members) for s in self._scores), None)

    def metrics(self) -> dict[str, float]:
        """Return the share of records on which all members agree."""
        return {"agreed": self._agreed}

    def _apart(self, places: I64) -> list[F32]:
        told = []
        for member, scores in enumerate(s for s in self._scores if s is not None):
            _, grad = cross_entropy(scores, self._labels)
            grad *= drawn(self._node.seed, member, places)[:, None]
            told.append(grad)
        return told

    def _together(self, grad: F32) -> list[F32]:
        """Return dL/dscores of each member for y = ln(mean p): p (g / sum p - sum(g p / sum p))."""
        total = np.maximum(np.sum(self._shares, axis=0), np.float32(1e-30))
        per = grad / total
        return [p * (per - (per * p).sum(axis=1, keepdims=True)) for p in self._shares]


def drawn(seed: int, member: int, places: I64) -> F32:
    """Return how often a member's sample holds each record: float32 (n,) counts from Poisson(1).

    A count depends on seed, member and the record's place alone.
    """
    with np.errstate(over="ignore"):
        z = places.astype(np.uint64) + np.uint64(seed) * np.uint64(0xD1342543DE82EF95)
        z = _mixed(z) + np.uint64(member + 1) * np.uint64(0x9E3779B97F4A7C15)
        uniform = (_mixed(z) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    reach, term = np.exp(-1.0), np.exp(-1.0)
    counts = np.zeros(len(places), np.float32)
    for k in range(1, 13):  # beyond 12 lies one in 10^10
        counts += uniform >= reach
        term /= k
        reach += term
    return counts


def _mixed(z: U64) -> U64:
    """Return the mix of SplitMix64 (Steele et al. 2014): each bit of the result depends on every bit."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _members(inputs: tuple[Spec | None, ...]) -> list[Spec]:
    return [spec for spec in inputs[:-1] if spec is not None]


def _shares(scores: Array) -> F32:
    given = np.ascontiguousarray(scores, np.float32)
    out = np.empty_like(given)
    softmax(given, out)
    return out
