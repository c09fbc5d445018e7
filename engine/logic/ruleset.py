"""A rule set bound to a vocabulary, mostly the classes and columns of a data set, ready to be evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..errors import RuleError
from ..ports import F64, I64, Column
from .binding import Binding
from .formula import And, Formula, Statement, Tested, parts_of
from .language import parse
from .measures import AnyTest, Test
from .truth import Bools, Outcomes, truth
from .vocabulary import CLASS, Vocabulary
from .wording import in_words

if TYPE_CHECKING:
    from ..kernels.guard import Asked


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: its name; `rule 3` for the third where the text gives none.
        words: what it says, as a sentence without its full stop.
        reason: the text after `because`, or "".
        source: the text after `source`, or "".
        line: the line of the text it begins on, from 1.
        bound: the formula over tests and values of decided variables, by number.
        weight: what it costs to break it, in nats; None where it must be kept.
        level: a soft rule of a higher level outweighs all of lower ones.
        column: the column it begins at, from 1.
        written: the formula as written.
    """

    name: str
    words: str
    reason: str
    source: str
    line: int
    bound: Formula
    weight: float | None = None
    level: int = 1
    column: int = 1
    written: Formula = And(())


@dataclass(frozen=True)
class RuleSet:
    """Rules over facts and what is decided.

    Attributes:
        vocabulary: what the rules speak of.
        rules: the rules in the order of the text.
        tests: every distinct test of a fact that a rule makes.
        notes: sentences about the rules that the user may want to know.
    """

    vocabulary: Vocabulary
    rules: tuple[Rule, ...] = ()
    tests: tuple[AnyTest, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, classes: tuple[str, ...], columns: tuple[Column, ...]) -> RuleSet:
        """Return the rules of `text` about one class of `classes` and facts in `columns`.

        Raises:
            RuleError: as `over` does.
        """
        return cls.over(text, Vocabulary.of(classes, columns))

    @classmethod
    def over(cls, text: str, vocabulary: Vocabulary) -> RuleSet:
        """Return the rules of `text` bound to `vocabulary`.

        Raises:
            RuleError: the text is not in the language, two rules have one name, or a name is not there;
                `where` is line and column.
        """
        statements = parse(text)
        names = _names(statements)
        binding = Binding(vocabulary)
        rules = tuple(
            Rule(
                name=name,
                words=in_words(s.formula),
                reason=s.reason,
                source=s.source,
                line=s.place.line,
                bound=binding.bind(s.formula),
                weight=s.weight,
                level=s.level,
                column=s.place.column,
                written=s.formula,
            )
            for name, s in zip(names, statements, strict=True)
        )
        return cls(vocabulary, rules, binding.tests, tuple(binding.notes))

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class names in label order, () where no class is decided."""
        number = self.vocabulary.decided_numbers.get(CLASS)
        return () if number is None else self.vocabulary.decided[number].values

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns of facts."""
        return self.vocabulary.columns

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the rules in order."""
        return tuple(rule.name for rule in self.rules)

    def outcomes(self, facts: F64) -> Outcomes:
        """Return what every test says, int8 (n, tests), of `facts`, float64 (n, columns): 1, 0 or UNKNOWN.

        Nothing else about the facts matters to the rules.
        """
        from ..kernels.guard import ask  # which needs numba: whoever checks a text has no use for it

        missing = self._last_column + 1 - facts.shape[1]
        if missing > 0:  # columns that are missing at the end are gaps
            facts = np.concatenate([facts, np.full((len(facts), missing), np.nan)], axis=1)
        out = np.empty((len(facts), len(self.tests)), np.int8)
        ask(self._asked, np.ascontiguousarray(facts, np.float64), out)
        for i, test in enumerate(self.tests):
            if not isinstance(test, Test):
                out[:, i] = test.outcome(facts)
        return out

    @cached_property
    def _last_column(self) -> int:
        return max((c for test in self.tests for c in test.columns), default=-1)

    @cached_property
    def _asked(self) -> Asked:
        """Return the tests of one column each, as the compiled loop takes them."""
        from ..kernels.guard import AMONG, AT_MOST, BELOW, KNOWN, Asked

        kinds = {"known": KNOWN, "among": AMONG, "below": BELOW, "at most": AT_MOST}
        plain = [(i, test) for i, test in enumerate(self.tests) if isinstance(test, Test)]
        return Asked(
            np.array([i for i, _ in plain], np.int32),
            np.array([test.column for _, test in plain], np.int32),
            np.array([kinds[test.kind] for _, test in plain], np.int32),
            np.cumsum([0, *(len(test.numbers) for _, test in plain)]).astype(np.int32),
            np.array([x for _, test in plain for x in test.numbers], np.float64),
        )

    def padded(self, facts: F64) -> F64:
        """Return facts, float64 (..., columns), with gaps for the columns that are missing at the end."""
        missing = len(self.vocabulary.given) - facts.shape[-1]
        if missing <= 0:
            return facts
        return np.concatenate([facts, np.full((*facts.shape[:-1], missing), np.nan)], axis=-1)

    def broken(self, facts: F64, labels: I64) -> Bools:
        """Return which rules are definitely false, bool (n, rules).

        Args:
            facts: float64 (n, columns), NaN for a gap.
            labels: int64 (n, decided), the value of each decided variable by number, -1 where it is unknown;
                (n,) where the class is all that is decided.
        """
        return self.broken_by(self.outcomes(facts), labels)

    def broken_by(self, tests: Outcomes, labels: I64) -> Bools:
        """Return the same as `broken` for facts whose outcomes are known already."""
        out = np.zeros((len(labels), len(self.rules)), np.bool_)
        for i, rule in enumerate(self.rules):
            out[:, i] = truth(rule.bound, tests, labels).no
        return out

    @cached_property
    def tested(self) -> tuple[tuple[int, ...], ...]:
        """Return for each rule the numbers of the tests that it makes, each once."""
        return tuple(_tested(rule.bound) for rule in self.rules)


def _tested(formula: Formula) -> tuple[int, ...]:
    found: set[int] = set()
    look = [formula]
    while look:
        here = look.pop()
        if isinstance(here, Tested):
            found.add(here.index)
        look.extend(parts_of(here))
    return tuple(sorted(found))


def _names(statements: tuple[Statement, ...]) -> tuple[str, ...]:
    lines: dict[str, int] = {}
    for number, statement in enumerate(statements, 1):
        name = statement.name or f"rule {number}"
        if name in lines:
            words = f"Two rules are named {name!r}; the other is in line {lines[name]}."
            raise RuleError(words, where=str(statement.place), do="Give one of them another name.")
        lines[name] = statement.place.line
    return tuple(lines)
