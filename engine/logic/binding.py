"""Bind a rule's names to a vocabulary: facts become tests on numbers, decided variables numbers of values.

Nothing is guessed: a name that is not there is an error with the nearest names that are.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import RuleError
from .arithmetic import related
from .formula import (
    FALSE,
    Among,
    And,
    Bare,
    Compare,
    Form,
    Formula,
    Happens,
    Iff,
    Known,
    Operator,
    Place,
    Tested,
    Word,
    parts_of,
    with_parts,
)
from .lexicon import written
from .measures import AnyTest, Test
from .subjects import Decided, Fact, Subject, not_there, unless
from .vocabulary import CLASS, Vocabulary, number_of, some, yes_or_no

__all__ = ["Binding", "Test", "same"]

MOST_PARTS = 200_000  # of all sums, products and tables written out
_MIRRORED: dict[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Binding:
    """Binds formulas to a vocabulary, collecting the distinct tests of facts that they make.

    Attributes:
        vocabulary: what rules may speak of.
        notes: sentences about values in quotes that no record of the data file has.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._tests: dict[AnyTest, int] = {}
        self._spent = 0
        self.notes: list[str] = []

    @property
    def tests(self) -> tuple[AnyTest, ...]:
        """Return the distinct tests of all formulas bound so far."""
        return tuple(self._tests)

    def bind(self, formula: Formula) -> Formula:
        """Return `formula` with its atoms bound.

        Raises:
            RuleError: a variable or value is not there, or a number is compared with a category.
        """
        match formula:
            case Compare():
                return self._compare(formula)
            case Among(subject, values, negated):
                return unless(self.subject(subject, values[0].place).one_of(values), negated=negated)
            case Known(subject, negated, place):
                return unless(self.subject(subject, place).known(), negated=negated)
            case Bare(name):
                return self._bare(name)
            case Form():
                return formula.bind(self)
        return with_parts(formula, tuple(self.bind(part) for part in parts_of(formula)))

    def find(self, word: Word | None, place: Place = Place()) -> Subject | None:  # noqa: B008 - a frozen value
        """Return the variable that `word` names, the class for None; None where there is none."""
        known = self.vocabulary
        name = CLASS if word is None else word.text
        place = place if word is None else word.place
        if word is not None and not word.is_class and name in known.fact_numbers:
            number = known.fact_numbers[name]
            return Fact(number, known.given[number], place, self.test, self._note)
        if name in known.decided_numbers:
            number = known.decided_numbers[name]
            return Decided(number, known.decided[number], place)
        return None

    def subject(self, word: Word | None, place: Place) -> Subject:
        """Return the variable that `word` names, the class for None.

        Raises:
            RuleError: there is none of that name.
        """
        found = self.find(word, place)
        if found is None:
            raise self.unknown(Word(CLASS, place=place) if word is None else word)
        return found

    def test(self, test: AnyTest) -> Tested:
        """Return the bound atom of a test; equal tests are made once."""
        return Tested(self._tests.setdefault(test, len(self._tests)))

    def spend(self, parts: int, place: Place) -> None:
        """Count the parts that sums, products and tables come to.

        Raises:
            RuleError: all rules together come to more than MOST_PARTS.
        """
        self._spent += parts
        if self._spent > MOST_PARTS:
            words = f"Up to here the rules come to more than {MOST_PARTS:,} parts."
            raise RuleError(words, where=str(place), do="Use coarser steps, or fewer rules.")

    def event(self, name: Word) -> tuple[tuple[int, int], ...]:
        """Return (sequence, number of the event type) for every sequence that has an event type of that name.

        `sequence.type` names the type of one sequence.
        """
        found: list[tuple[int, int]] = []
        for i, sequence in enumerate(self.vocabulary.sequences):
            names = {name.text, name.text.removeprefix(f"{sequence.name}.")}
            found.extend((i, number) for number, value in enumerate(sequence.values) if value in names)
        return tuple(found)

    def unknown(self, word: Word) -> RuleError:
        """Return the error that nothing has that name."""
        known = self.vocabulary
        if word.text == CLASS and not word.quoted:
            return RuleError("Nothing named class is decided here.", where=str(word.place), do="Name it.")
        tabular = set(known.decided_numbers) <= {CLASS} and not known.sequences
        if tabular and not known.given:
            words = f"There is no column {word.text[:60]!r}: no facts are wired."
            return RuleError(words, where=str(word.place), do="Wire the facts of the data to this node.")
        names = [v.name for v in (known.given if tabular else known.variables)]
        names += [event for sequence in known.sequences for event in sequence.values]
        also = ""
        if any(sign in word.text for sign in "+-"):
            also = " If a sum is meant, put spaces around + and -."
        valued = [v.name for v in known.variables if word.text in v.values and v.kind != "events"]
        if valued:
            words = f"{word.text[:40]!r} is a value of {some(tuple(valued))}; a condition is needed here."
            name, value = written(valued[0]), word.written()
            do = f"Write {name} = {value}; for one of several {name} in {{{value}, ...}}."
            return RuleError(words, where=str(word.place), do=do)
        return not_there("column" if tabular else "variable", word, tuple(names), also)

    # Inside

    def _compare(self, compare: Compare) -> Formula:
        subject, operator, value = compare.subject, compare.operator, compare.value
        found = self.find(subject, compare.place)
        other = None if value.quoted else self.find(value)
        if found is None:
            if subject is not None and other is not None and number_of(subject.text) is not None:
                return other.compared(_MIRRORED.get(operator, operator), subject)
            raise self.unknown(Word(CLASS, place=compare.place) if subject is None else subject)
        # The class is not named where it is written; the operator after it is the nearest place.
        found = replace(found, place=compare.place) if subject is None else found
        if (
            other is None
            or number_of(value.text) is not None
            or found.variable.index_of(value.text) is not None
        ):
            return found.compared(operator, value)
        if operator in ("=", "!=") and not (found.counts and other.counts):
            return unless(same(found, other), negated=operator == "!=")
        left = Word(CLASS, place=compare.place) if subject is None else subject
        return related(self, left, operator, value)

    def _bare(self, name: Word) -> Formula:
        found = self.find(name)
        if found is not None:
            yes = [i for i, value in enumerate(found.names) if yes_or_no(value)]
            if len(found.names) != 2 or len(yes) != 1:
                holds = f"one of {', '.join(found.names[:3])}" if found.names else "a number"
                words = f"{found.called} is {holds}; a condition is needed here."
                raise RuleError(words, where=str(name.place), do=f"Compare it: {name.text} = ...")
            return found.among((yes[0],))
        events = self.event(name)
        if len(events) == 1:
            return Happens(events[0][0], "existence", (frozenset({events[0][1]}),))
        if events:
            names = ", ".join(f"{self.vocabulary.sequences[i].name}.{name.text}" for i, _ in events)
            words = f"Several sequences have an event {name.text!r}."
            raise RuleError(words, where=str(name.place), do=f"Name one: {names}.")
        raise self.unknown(name)

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def same(left: Subject, right: Subject) -> Formula:
    """Return that two categories have the same value.

    Raises:
        RuleError: no value is one of both.
    """
    values = [name for name in left.names if name in right.names]
    if not values:
        words = f"{left.called} and {right.called} have no value in common."
        raise RuleError(words, where=str(right.place), do="Compare variables of the same values.")
    parts: list[Formula] = [
        Iff(left.among((left.names.index(v),)), right.among((right.names.index(v),))) for v in values
    ]
    for subject in (left, right):
        common = tuple(i for i, name in enumerate(subject.names) if name in values)
        if len(common) < len(subject.names):
            parts.append(subject.among(common))
    return And(tuple(parts)) if parts else FALSE
