"""Bind a rule's names to a vocabulary: facts become tests on numbers, decided variables numbers of values.

Nothing is guessed: a name that is not there is an error with the nearest names that are.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import RuleError
from .formula import Among, Compare, Formula, Known, Place, Tested, Word, parts_of, with_parts
from .subjects import Decided, Fact, Subject, Test, not_there, unless
from .vocabulary import CLASS, Vocabulary

__all__ = ["Binding", "Test"]


class Binding:
    """Binds formulas to a vocabulary, collecting the distinct tests of facts that they make.

    Attributes:
        vocabulary: what rules may speak of.
        notes: sentences about values in quotes that no record of the data file has.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._tests: dict[Test, int] = {}
        self.notes: list[str] = []

    @property
    def tests(self) -> tuple[Test, ...]:
        """Return the distinct tests of all formulas bound so far."""
        return tuple(self._tests)

    def bind(self, formula: Formula) -> Formula:
        """Return `formula` with its atoms bound.

        Raises:
            RuleError: a variable or value is not there, or a number is compared with a category.
        """
        match formula:
            case Compare(subject, operator, value, place):
                found = self.subject(subject, place)
                # The class is not named where it is written; the operator after it is the nearest place.
                return (replace(found, place=place) if subject is None else found).compared(operator, value)
            case Among(subject, values, negated):
                return unless(self.subject(subject, values[0].place).one_of(values), negated=negated)
            case Known(subject, negated, place):
                return unless(self.subject(subject, place).known(), negated=negated)
        return with_parts(formula, tuple(self.bind(part) for part in parts_of(formula)))

    def subject(self, word: Word | None, place: Place) -> Subject:
        """Return the variable that `word` names, the class for None.

        Raises:
            RuleError: there is none of that name.
        """
        known = self.vocabulary
        if word is None or (word.text in known.decided_numbers and word.text not in known.fact_numbers):
            return self._decided(Word(CLASS, place=place) if word is None else word)
        if word.text in known.fact_numbers:
            number = known.fact_numbers[word.text]
            return Fact(number, known.given[number], word.place, self.test, self._note)
        raise self._unknown(word)

    def test(self, test: Test) -> Tested:
        """Return the bound atom of a test; equal tests are made once."""
        return Tested(self._tests.setdefault(test, len(self._tests)))

    # Inside

    def _decided(self, word: Word) -> Subject:
        known = self.vocabulary
        if word.text not in known.decided_numbers:
            what = "Nothing named class is decided here."
            raise RuleError(what, where=str(word.place), do="Name what is decided.")
        number = known.decided_numbers[word.text]
        return Decided(number, known.decided[number], word.place)

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _unknown(self, word: Word) -> RuleError:
        known = self.vocabulary
        tabular = set(known.decided_numbers) <= {CLASS} and not known.sequences
        if tabular and not known.given:
            words = f"There is no column {word.text[:60]!r}: no facts are wired."
            return RuleError(words, where=str(word.place), do="Wire the facts of the data to this node.")
        if tabular:
            return not_there("column", word, tuple(v.name for v in known.given))
        return not_there("variable", word, tuple(v.name for v in known.variables))
