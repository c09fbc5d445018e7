"""The grammar of one rule, and what is said where a text departs from it.

LALR(1), so the time to read a rule grows with its length only. The kinds of tokens are told from the words
and signs of lexicon.py and from what the parser accepts where they stand: a word of the language in capitals,
or one that only later versions gave a meaning, is a name wherever only a name may stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from ..errors import RuleError, SolverError
from . import advice
from .forms import CALLS, FORMS, unknown_call
from .formula import Place
from .lexicon import RESERVED, SOFT, Piece, begun

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

    Branch = Tree[Token]

GRAMMAR = r"""
start: RULE head _COLON formula [because] [source]
head: name*
because: _BECAUSE STRING
source: _SOURCE STRING

?formula: _IF formula _THEN formula -> if_then
    | _IF formula _THEN formula _ELSE formula -> if_then
    | equivalence
?equivalence: equivalence _IFF implication -> iff
    | implication
?implication: order _IMPLIES implication -> implies
    | order
?order: disjunction{order}
?disjunction: exclusive (_OR exclusive)+ -> either
    | exclusive
?exclusive: exclusive _XOR conjunction -> xor
    | conjunction
?conjunction: negation (_AND negation)+ -> both
    | negation
?negation: _NOT negation -> negated
    | condition
?condition: sum
    | sum OPERATOR sum -> compare
    | sum OPERATOR sum OPERATOR sum -> between
    | sum _IN _LBRACE name (_COMMA name)* _RBRACE -> inside
    | sum _NOT _IN _LBRACE name (_COMMA name)* _RBRACE -> outside
    | sum _IS _KNOWN -> known
    | sum _IS _MISSING -> missing
    | quantity WORD _OF _LPAR formula (_COMMA formula)* _RPAR -> count{condition}
quantity: EXACTLY | AT MOST | AT LEAST
?sum: product ((PLUS | MINUS) product)+ -> sum
    | product
?product: factor ((TIMES | OVER) factor)+ -> product
    | factor
?factor: MINUS factor -> negative
    | primary
?primary: name
    | CLASS
    | _LPAR formula _RPAR
    | CALL _LPAR [argument (_COMMA argument)*] _RPAR [block] -> call
?argument: formula
    | name _COLON formula -> labelled
    | WORD name [WORD] -> option
block: _LBRACE row (_COMMA row)* _RBRACE
row: _LPAR cell (_COMMA cell)* _RPAR
cell: MINUS | name | OPERATOR name | RANGE | _LBRACE name (_COMMA name)* _RBRACE
?name: WORD | STRING
"""

_MARKS = {
    "(": "_LPAR",
    ")": "_RPAR",
    "{": "_LBRACE",
    "}": "_RBRACE",
    ":": "_COLON",
    ",": "_COMMA",
    "+": "PLUS",
    "-": "MINUS",
    "*": "TIMES",
    "×": "TIMES",
    "/": "OVER",
}
_KEPT = {"rule", "class", "exactly", "at", "most", "least"}  # keywords that the tree keeps
_KEYWORDS = {word: word.upper() if word in _KEPT else f"_{word.upper()}" for word in sorted(RESERVED | SOFT)}
_SIGNS = {"text": "STRING", "operator": "OPERATOR", "tolerance": "TOLERANCE"}
_MOST_WORDS = 4  # of the name of a form

# What the parser calls its tokens, in words for a message.
WORDS_OF_TOKENS = {
    "WORD": "a name or value",
    "STRING": "a text in quotes",
    "OPERATOR": "one of = != < <= > >=",
    "CALL": "a form like all different(...)",
    "RANGE": "a range like 3..5",
    "TOLERANCE": "+-",
    "$END": "the end",
    **{name: word for word, name in _KEYWORDS.items()},
    **{name: sign for sign, name in _MARKS.items() if sign != "×"},
}


@cache
def parser() -> Lark:
    """Return the parser of one rule.

    Raises:
        SolverError: lark is not installed.
    """
    try:
        from lark import Lark
    except ImportError:
        do = "Rules need it: pip install 'polybit[logic]'."
        raise SolverError("lark is not installed.", do=do) from None
    slots = {"order": "", "condition": ""}
    for key, entry in FORMS.items():
        if entry.fragment:
            slot, alternative = entry.fragment
            slots[slot] += f"\n    | {alternative} -> form_{key.replace(' ', '_')}"
    names = ["WORD", "CALL", "RANGE", *_SIGNS.values(), *_KEYWORDS.values(), *dict.fromkeys(_MARKS.values())]
    grammar = GRAMMAR
    for slot, more in slots.items():
        grammar = grammar.replace(f"{{{slot}}}", more)
    return Lark(f"{grammar}\n%declare {' '.join(names)}", parser="lalr", lexer="basic")


class Feeder:
    """Feeds the pieces of one rule to the parser, telling what kind of token each is.

    Args:
        pieces: the pieces, without comments.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.parser: Any = parser().parse_interactive("")
        self._pieces = pieces
        self._at = 0

    def feed(self) -> None:
        """Feed all pieces.

        Raises:
            RuleError: one cannot stand where it does.
        """
        from lark.exceptions import UnexpectedToken

        while self._at < len(self._pieces):
            token = self._token()
            try:
                self.parser.feed_token(token)
            except UnexpectedToken:
                raise self._wrong(token) from None

    def finished(self, after: Place | None) -> Branch:
        """Return the tree of the rule; `after` is where the next rule begins.

        Raises:
            RuleError: the rule is not finished.
        """
        from lark.exceptions import UnexpectedToken

        last = self._pieces[-1]
        try:
            return cast("Branch", self.parser.feed_eof())
        except UnexpectedToken:
            place = Place(last.line, last.column)
            words, hint = "The text ends in the middle of a rule.", ""
            if after is not None:
                words, place = "'rule' cannot stand here: the rule before it is not finished.", after
                hint = 'If a name is meant, write "rule". '
            raise RuleError(words, where=str(place), do=hint + _may_stand(self.accepted())) from None

    def accepted(self) -> set[str]:
        """Return the kinds of tokens that may stand next."""
        return set(self.parser.accepts())

    # Which token a piece is

    def _token(self) -> Token:
        from lark import Token

        piece = self._pieces[self._at]
        states: dict[str, Any] = self.parser.choices()
        if piece.kind in ("strange", "open text"):
            raise _strange(piece, self._pieces[self._at - 1] if self._at else None)
        kind, text, many = self._kind(piece, states)
        self._at += many
        return Token(kind, text, piece.start, piece.line, piece.column)

    def _kind(self, piece: Piece, states: dict[str, Any]) -> tuple[str, str, int]:
        if piece.kind == "mark":
            return _MARKS[piece.text], piece.text, 1
        if piece.kind in _SIGNS:
            return _SIGNS[piece.kind], piece.text, 1
        if piece.kind == "range":
            return ("RANGE" if "RANGE" in states else "WORD"), piece.text, 1
        call = self._call(states)
        if call is not None:
            return ("CALL", *call)
        capital = begun(self._pieces, self._at) if "WORD" in states else piece.capital
        word = piece.keyword or capital
        known = _KEYWORDS.get(word, "")
        hard = word in RESERVED and piece.text == word
        return (known if hard or (known and known in states) else "WORD"), piece.text, 1

    def _call(self, states: dict[str, Any]) -> tuple[str, int] | None:
        """Return the name of the call that begins here and of how many words it is made."""
        if "CALL" not in states:
            return None
        words, end = self._words()
        if not words:
            return None
        name = " ".join(piece.text.lower().replace("_", " ") for piece in words)
        if name in CALLS:
            return name, end
        if any(piece.keyword or piece.capital for piece in words):
            return None
        raise unknown_call(name, _place(words[0]))

    def _words(self) -> tuple[Sequence[Piece], int]:
        end = self._at
        while end < min(len(self._pieces), self._at + _MOST_WORDS) and self._pieces[end].kind == "word":
            end += 1
        if end < len(self._pieces) and self._pieces[end].text == "(":
            return self._pieces[self._at : end], end - self._at
        return (), 0

    # What is wrong

    def _wrong(self, token: Token) -> RuleError:
        accepted, text = self.accepted(), str(token)
        place = str(Place(token.line or 1, token.column or 1))
        do = advice.of_piece(advice.Wrong(self._pieces, self._at - 1, accepted)) or _may_stand(accepted)
        if "WORD" in accepted and text.lower() in RESERVED:
            words = f"{text!r} is a word of the rule language."
            return RuleError(words, where=place, do=f'If a name is meant, write "{text}". {do}')
        return RuleError(f"{text[:40]!r} cannot stand here.", where=place, do=do)


def _may_stand(accepted: set[str]) -> str:
    wanted = sorted(WORDS_OF_TOKENS.get(name, name.lower()) for name in accepted)
    return "Here may stand: " + ", ".join(wanted) + "."


def _strange(piece: Piece, before: Piece | None) -> RuleError:
    where = str(_place(piece))
    if piece.kind == "open text":
        words = "The text in quotes does not end on its line."
        return RuleError(words, where=where, do='Close it with "; inside a text write \\" and \\\\.')
    do = advice.of_character(piece.text, before)
    return RuleError(f"The character {piece.text!r} means nothing here.", where=where, do=do)


def _place(piece: Piece) -> Place:
    return Place(piece.line, piece.column)
