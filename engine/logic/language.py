"""The rule language: from text to statements, with the line and column of whatever is wrong.

The grammar below is the whole language (LALR(1), so the time to read a text grows with its length only);
resources/help/rules.md explains it. Names are not looked up here: that is binding.py.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from ..errors import RuleError, SolverError
from .formula import (
    Among,
    And,
    Compare,
    Count,
    Formula,
    Iff,
    IfThen,
    Implies,
    Known,
    Not,
    Operator,
    Or,
    Place,
    Quantity,
    Statement,
    Word,
    Xor,
)

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

    Branch = Tree[Token]

MOST_BYTES = 256 * 1024
MOST_RULES = 2_000
MOST_DEPTH = 40
MOST_COUNTED = 64  # parts of one `k of (...)`

GRAMMAR = r"""
start: statement*
statement: RULE [name] ":" formula [because] [source]
because: "because" STRING
source: "source" STRING

?formula: "if" formula "then" formula -> if_then
    | "if" formula "then" formula "else" formula -> if_then
    | equivalence
?equivalence: equivalence "iff" implication -> iff
    | implication
?implication: disjunction "implies" implication -> implies
    | disjunction
?disjunction: exclusive ("or" exclusive)+ -> either
    | exclusive
?exclusive: exclusive "xor" conjunction -> xor
    | conjunction
?conjunction: negation ("and" negation)+ -> both
    | negation
?negation: "not" negation -> negated
    | atom
?atom: "(" formula ")"
    | quantity WORD "of" "(" formula ("," formula)* ")" -> count
    | subject OPERATOR name -> compare
    | subject "in" "{" name ("," name)* "}" -> inside
    | subject "not" "in" "{" name ("," name)* "}" -> outside
    | subject "is" "known" -> known
    | subject "is" "missing" -> missing
!quantity: "exactly" | "at" "most" | "at" "least"
subject: name
    | CLASS -> the_class
name: WORD | STRING

RULE: "rule"
CLASS: "class"
OPERATOR: "=" | "!=" | "<=" | ">=" | "<" | ">"
WORD: /[+-]?[\w.][\w.+-]*/
STRING: /"(?:[^"\\\n]|\\["\\])*"/
%ignore /[ \t\n\f\u00a0]+/
%ignore /#[^\n]*/
"""

# Words that mean something here; as names or values they go in quotes.
RESERVED = frozenset(re.findall(r'"([a-z]+)"', GRAMMAR))

# What the parser calls its tokens, in words for a message.
_TOKEN_WORDS = {
    "WORD": "a name or value",
    "STRING": "a text in quotes",
    "OPERATOR": "one of = != < <= > >=",
    "LPAR": "(",
    "RPAR": ")",
    "LBRACE": "{",
    "RBRACE": "}",
    "COLON": ":",
    "COMMA": ",",
    "$END": "the end",
}


def parse(text: str) -> tuple[Statement, ...]:
    """Return the rules of `text` in order.

    Raises:
        RuleError: the text is not in the language, or is larger or deeper than anything a person writes;
            `where` is the line and column, counted from 1.
        SolverError: lark, the parser, is not installed.
    """
    _check_size(text)
    if not text.strip():
        return ()
    parser = _parser()
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    try:
        tree = parser.parse(text.replace("\r\n", "\n").replace("\r", "\n"))
    except UnexpectedCharacters as error:
        raise _strange_character(error.char, Place(error.line, error.column)) from None
    except UnexpectedToken as error:
        raise _wrong_token(error.token, error.accepts or error.expected) from None
    branches = cast("list[Branch]", tree.children)
    if len(branches) > MOST_RULES:
        words = f"There are {len(branches)} rules; {MOST_RULES} is the most."
        raise RuleError(words, do="Split the rule set.")
    return tuple(_statement(branch) for branch in branches)


@cache
def _parser() -> Lark:
    try:
        from lark import Lark
    except ImportError:
        do = "Rules need it: pip install 'polybit[logic]'."
        raise SolverError("lark is not installed.", do=do) from None
    return Lark(GRAMMAR, parser="lalr", lexer="basic")


# What is wrong


def _check_size(text: str) -> None:
    size = len(text.encode(errors="replace"))
    if size > MOST_BYTES:
        words = f"The rules take {size // 1024:,} KiB; {MOST_BYTES // 1024} KiB is the most."
        raise RuleError(words, do="Split the rule set.")


def _strange_character(char: str, place: Place) -> RuleError:
    if char == '"':
        words = "The text in quotes does not end on its line."
        return RuleError(words, where=str(place), do='Close it with "; inside a text write \\" and \\\\.')
    return RuleError(
        f"The character {char!r} means nothing here.",
        where=str(place),
        do="Put a name that holds it in quotes.",
    )


def _wrong_token(token: Token, expected: set[str]) -> RuleError:
    wanted = sorted(_TOKEN_WORDS.get(name, name.lower()) for name in expected)
    do = "Here may stand: " + ", ".join(wanted) + "."
    place = str(Place(token.line or 1, token.column or 1))
    if token.type == "$END":
        return RuleError("The text ends in the middle of a rule.", where=place, do=do)
    if "WORD" in expected and str(token) in RESERVED:
        words = f"{str(token)!r} is a word of the rule language."
        return RuleError(words, where=place, do=f'If a name is meant, write "{token}". {do}')
    return RuleError(f"{str(token)[:40]!r} cannot stand here.", where=place, do=do)


# From branches to values


def _statement(branch: Branch) -> Statement:
    rule, name, body, because, source = cast("list[Any]", branch.children)
    place = _place(rule)
    if _depth(body) > MOST_DEPTH:
        words = f"The rule is nested more than {MOST_DEPTH} deep."
        raise RuleError(words, where=str(place), do="Split it into several rules.")
    return Statement(
        _word(name).text if name else "",
        _formula(body),
        _unquoted(because.children[0]) if because else "",
        _unquoted(source.children[0]) if source else "",
        place=place,
    )


def _depth(branch: Branch) -> int:
    deepest, look = 0, [(branch, 1)]
    while look:
        here, depth = look.pop()
        deepest = max(deepest, depth)
        look.extend((part, depth + 1) for part in _branches(here))
    return deepest


def _branches(branch: Branch) -> list[Branch]:
    if branch.data in _ATOMS:
        return []
    return [cast("Branch", part) for part in branch.children[2 if branch.data == "count" else 0 :]]


def _formula(branch: Branch) -> Formula:
    if branch.data in _ATOMS:
        return cast("Formula", _ATOMS[branch.data](*branch.children))
    if branch.data == "count":
        return _count(branch)
    parts = tuple(_formula(part) for part in _branches(branch))
    return cast("Formula", _JOINED[branch.data](parts))


_JOINED: dict[str, Any] = {
    "if_then": lambda parts: IfThen(*parts),
    "iff": lambda parts: Iff(*parts),
    "implies": lambda parts: Implies(*parts),
    "either": Or,
    "xor": lambda parts: Xor(*parts),
    "both": And,
    "negated": lambda parts: Not(*parts),
}


def _compare(subject: Branch, operator: Token, value: Branch) -> Formula:
    return Compare(_subject(subject), cast("Operator", str(operator)), _word(value), _place(operator))


def _known(subject: Branch, *, negated: bool) -> Formula:
    place = _place(next(subject.scan_values(lambda _: True)))
    return Known(_subject(subject), negated, place)


_ATOMS: dict[str, Any] = {
    "compare": _compare,
    "inside": lambda subject, *values: Among(_subject(subject), tuple(map(_word, values))),
    "outside": lambda subject, *values: Among(_subject(subject), tuple(map(_word, values)), negated=True),
    "known": lambda subject: _known(subject, negated=False),
    "missing": lambda subject: _known(subject, negated=True),
}


def _count(branch: Branch) -> Formula:
    how, number = cast("list[Any]", branch.children[:2])
    branches = _branches(branch)
    place = str(_place(number))
    if not (str(number).isascii() and str(number).isdecimal() and len(number) < 10):
        words = f"A count is a whole number; got {str(number)[:40]!r}."
        raise RuleError(words, where=place, do=f"Write 0 to {len(branches)}.")
    if len(branches) > MOST_COUNTED:
        words = f"A count is over {len(branches)} parts; {MOST_COUNTED} is the most."
        raise RuleError(words, where=place, do="Split it.")
    if int(number) > len(branches):
        words = f"The count asks for {int(number)} of {len(branches)} parts."
        raise RuleError(words, where=place, do=f"Ask for 0 to {len(branches)}.")
    quantity = cast("Quantity", " ".join(map(str, how.children)))
    return Count(quantity, int(number), tuple(_formula(part) for part in branches))


def _subject(branch: Branch) -> Word | None:
    return None if branch.data == "the_class" else _word(cast("Branch", branch.children[0]))


def _word(branch: Branch) -> Word:
    token = cast("Token", branch.children[0])
    if token.type == "STRING":
        return Word(_unquoted(token), quoted=True, place=_place(token))
    return Word(str(token), place=_place(token))


def _unquoted(token: Token) -> str:
    return re.sub(r'\\(["\\])', r"\1", str(token)[1:-1])


def _place(token: Token) -> Place:
    return Place(token.line or 1, token.column or 1)
