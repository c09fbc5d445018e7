"""What stands in comparisons of a UVL feature model: attributes, typed features, sums over all features.

An attribute counts where its feature is chosen, and as 0 elsewhere. The value of an Integer, Real or String
feature is a fact: the model sets no bounds to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..vocabulary import Variable
from .writing import quoted

OTHER = "(other)"  # a text that no constraint names
NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_PIECE = re.compile(r'"([^"\n]+)"|([^".\s]+)')
_EQUAL = {"==": "=", "!=": "!="}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True)
class Term:
    """A side of a comparison, or a part of one.

    Attributes:
        text: the number in the rule language; the text of a text.
        kind: `number`, `text` (a constant), `fact` (of texts) or `mean` (of attributes, by `weights`).
        constant: whether it is a number that is written out.
        weights: of a mean, (attribute, flag of its feature) each.
    """

    text: str
    kind: str = "number"
    constant: bool = False
    weights: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_number(cls, text: str) -> Term:
        """Return a number as written."""
        return cls(text, constant=True)

    @classmethod
    def of_text(cls, text: str) -> Term:
        """Return a text without its quotes."""
        return cls(text, kind="text")


@dataclass
class Numbers:
    """Attributes and typed features of a model.

    Attributes:
        attributes: feature -> attribute -> its value as written: a number, or a text in single quotes.
        types: feature -> Integer, Real or String, for those that have one.
        used: (feature, attribute) pairs that constraints speak of.
        texts: String feature -> the texts that it is compared with.
    """

    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)
    texts: dict[str, dict[str, None]] = field(default_factory=dict)

    def variables(self) -> list[Variable]:
        """Return the facts that are the values of typed features."""
        made = []
        for feature, kind in self.types.items():
            text = f"the value of the feature {feature}"
            if kind != "String":
                made.append(Variable(_value(feature), "number", given=True, text=text))
            else:
                values = (*self.texts.get(feature, {}), OTHER)
                made.append(Variable(_value(feature), "category", given=True, values=values, text=text))
        return made

    def named(self, name: str) -> Term:
        """Return what a name in a comparison stands for.

        Raises:
            ValueError: it is no number and no text; the words say why.
        """
        pieces = [a or b for a, b in _PIECE.findall(name)]
        whole = ".".join(pieces)
        if whole in self.types:
            kind = "fact" if self.types[whole] == "String" else "number"
            return Term(whole if kind == "fact" else quoted(_value(whole)), kind)
        feature, attribute = ".".join(pieces[:-1]), pieces[-1] if pieces else ""
        value = self.attributes.get(feature, {}).get(attribute)
        if value is None:
            raise ValueError(f"{whole[:60] or name[:60]} is neither a number nor a text.")
        self.used.add((feature, attribute))
        if value.startswith("'"):
            return Term.of_text(value[1:-1])
        if not NUMBER.fullmatch(value):
            raise ValueError(f"{whole[:60]} is {value[:40]}, which is no number and no text.")
        return Term(f"{value} * {quoted(feature)}")

    def called(self, function: str, name: str, *more: str) -> Term:
        """Return what an aggregate comes to.

        Raises:
            ValueError: it is not read, or no feature has such an attribute.
        """
        if more or function not in ("sum", "avg"):
            what = f"{function} of two names" if more else function
            raise ValueError(f"{what} is not read; sum and avg of one attribute are.")
        attribute = name.replace('"', "")
        having = [(f, told[attribute]) for f, told in self.attributes.items() if attribute in told]
        weights = tuple((value, quoted(f)) for f, value in having if NUMBER.fullmatch(value))
        if not having or len(weights) < len(having):
            raise ValueError(f"The attribute {attribute[:60]!r} is {'no number' if having else 'nowhere'}.")
        self.used.update((f, attribute) for f, _ in having)
        if function == "avg":
            return Term("", "mean", weights=weights)
        return Term(f"({' + '.join(f'{value} * {flag}' for value, flag in weights)})")

    def joined(self, operator: str, left: Term, right: Term) -> Term:
        """Return two numbers added, subtracted, multiplied or divided.

        Raises:
            ValueError: one is no number, or neither factor is constant.
        """
        if "mean" in (left.kind, right.kind):
            raise ValueError("An average is compared with a number alone.")
        if left.kind != "number" or right.kind != "number":
            raise ValueError("Texts are not added.")
        plain = right.constant if operator == "/" else left.constant or right.constant
        if operator in "*/" and not plain:
            raise ValueError("One of two factors must be a number that is written out.")
        return Term(f"({left.text} {operator} {right.text})", constant=left.constant and right.constant)

    def compared(self, left: Term, operator: str, right: Term) -> str:
        """Return a comparison in the rule language.

        Raises:
            ValueError: the sides cannot be compared.
        """
        sign = _EQUAL.get(operator, operator)
        if (left.constant or right.kind == "mean") and not right.constant:  # numbers stand last
            left, right, sign = right, left, _MIRRORED.get(sign, sign)
        kinds = {left.kind, right.kind}
        if kinds <= {"number"}:
            if left.constant and right.constant:
                raise ValueError("Both sides are numbers that are written out.")
            return f"({left.text} {sign} {right.text})"
        if "mean" in kinds:
            return _of_mean(left, sign, right)
        if kinds != {"fact", "text"}:
            what = (
                "a text and a number" if "number" in kinds else "two texts that are both open or both written"
            )
            raise ValueError(f"{what[:1].upper()}{what[1:]} cannot be compared here.")
        if operator not in _EQUAL:
            raise ValueError("Texts have no order here.")
        fact, text = (left, right) if left.kind == "fact" else (right, left)
        self.texts.setdefault(fact.text, {})[text.text] = None
        return f"{quoted(_value(fact.text))} {sign} {quoted(text.text)}"


def _of_mean(mean: Term, sign: str, right: Term) -> str:
    """Return a comparison of an average: of what is chosen, the attributes less the number add up."""
    if mean.kind != "mean" or not right.constant:
        raise ValueError("An average is compared with a number alone.")
    terms = [f"({value} - {right.text}) * {flag}" for value, flag in mean.weights]
    some = " or ".join(flag for _, flag in mean.weights)
    return f"(({some}) and {' + '.join(terms)} {sign} 0)"


def _value(feature: str) -> str:
    return f"{feature} (value)"
