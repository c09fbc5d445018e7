"""What formulas decide: the variables that each speaks of, and which of their values it tells apart."""

from __future__ import annotations

from ..formula import Formula, ValueIn, parts_of

_MOST_ATOMS = 3  # times the variables: where a formula has more, it tells all values apart

Atoms = tuple[tuple[int, frozenset[int]], ...]  # variable, values; no values: each of them counts


class Scopes:
    """Remembers what bound formulas decide, by identity: they must live as long as this does.

    Attributes:
        known: identity of a formula -> the decided variables that it speaks of, rising.
    """

    def __init__(self) -> None:
        self.known: dict[int, tuple[int, ...]] = {}

    def of(self, formula: Formula) -> tuple[int, ...]:
        """Return the decided variables, by number, that a bound formula speaks of."""
        key = id(formula)
        if key not in self.known:
            if isinstance(formula, ValueIn):
                self.known[key] = (formula.variable,)
            else:
                scopes = [self.of(part) for part in parts_of(formula)]
                self.known[key] = tuple(sorted(set().union(*scopes)))
        return self.known[key]

    def told_apart(self, formula: Formula) -> Atoms:
        """Return what of an answer a formula depends on: in which sets its values lie."""
        scope = self.of(formula)
        found: dict[tuple[int, frozenset[int]], None] = {}
        look = [formula]
        while look:
            here = look.pop()
            if isinstance(here, ValueIn):
                found[here.variable, frozenset(here.indices)] = None
            elif self.of(here):
                look.extend(parts_of(here))
        if len(found) > _MOST_ATOMS * len(scope):
            return tuple((variable, frozenset()) for variable in scope)
        return tuple((variable, chosen or frozenset({-1})) for variable, chosen in found)
