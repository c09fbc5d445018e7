"""Findings in words, from what an examination has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..ruleset import Rule, RuleSet
from ..vocabulary import Variable, some
from ..wording import listed
from .asked import Asked
from .circumstances import circumstances
from .examined import Examined
from .findings import Example, Finding, Kind, RuleStatus, Severity, Status
from .unanswered import Stranded, Way

if TYPE_CHECKING:
    from .happening import Fate

_ORDER: tuple[Severity, ...] = ("error", "warning", "note")
_MOST_NAMED = 4  # rules named in a sentence
_MOST_WAYS = 2  # circumstances named in a sentence


@dataclass(frozen=True)
class Report:
    """What an examination has found about a rule set, to be put into words.

    Attributes:
        asked: the rules, and what their models mean.
        found: what has been found.
        needed: the rules that some record breaks alone.
        examples: for such a rule a record that breaks it and no other hard rule.
        origins: rule -> the pack it comes from, for rules that come from packs.
        fates: events that never or always happen.
        unchecked: rules that were not looked into whole, by number, and a sentence on it.
        stranded: facts that leave no answer; None where that was not asked yet.
    """

    asked: Asked
    found: Examined
    needed: frozenset[int]
    examples: Mapping[int, Example]
    origins: Mapping[str, str]
    fates: Sequence[Fate] = ()
    unchecked: Sequence[tuple[tuple[int, ...], str]] = ()
    stranded: Stranded | None = None

    @property
    def rules(self) -> RuleSet:
        """Return the rules, template calls of events being flags."""
        return self.asked.rules

    def findings(self) -> tuple[Finding, ...]:
        """Return all findings, the worst first, then by place."""
        made = [
            *self._conflicts(),
            *self._stranded(),
            *self._fixed(),
            *self._events(),
            *self._idle(),
            *self._implied(),
            *self._equal(),
            *self._soft(),
            *self._open(),
        ]
        return tuple(sorted(made, key=lambda f: (_ORDER.index(f.severity), f.line, f.column)))

    def statuses(self) -> tuple[RuleStatus, ...]:
        """Return the state of every rule in order."""
        return tuple(
            RuleStatus(rule.name, rule.line, rule.column, self._status(i), self.examples.get(i))
            for i, rule in enumerate(self.rules.rules)
        )

    # The sorts of findings

    def _conflicts(self) -> list[Finding]:
        made = []
        for core in self.found.cores:
            if len(core) == 1:
                what = f"{self._name(core[0])} can never be kept, whatever the record."
                made.append(self._of("conflict", "error", core[0], what, "Change it: no answer keeps it."))
                continue
            packs = {self.origins[name] for name in self._names(core) if name in self.origins}
            whose = f" They come from {listed(tuple(sorted(packs)))}." if len(packs) > 1 else ""
            what = f"{self._listed(core)} cannot all be kept.{whose}"
            do = _EXCEPTION
            made.append(self._of("conflict", "error", core[-1], what, do, core[:-1]))
        return made

    def _stranded(self) -> list[Finding]:
        """Which facts leave no answer, and the rules that no answer can mend."""
        if self.stranded is None:
            return []
        found = [self._clash(core, ways) for core, ways in self.stranded.clashes.items()]
        alone = [i for i in self.stranded.alone if i in self.needed or self.found.implied.get(i)]
        if alone and self.rules.vocabulary.decided:
            few = len(alone) == 1
            what = f"{self._listed(alone)} {'speaks' if few else 'speak'} of facts alone"
            what += f": a record that breaks {'it' if few else 'one of them'} has no answer."
            found.append(self._of("facts alone", "note", alone[0], what, _ALONE, alone[1:]))
        return found

    def _clash(self, core: tuple[int, ...], ways: list[Way]) -> Finding:
        """One set of rules that leaves no answer under some facts."""
        when = [circumstances(self.rules, way.settled) for way in ways[:_MOST_WAYS]]
        more = ", among other cases," if len(ways) > _MOST_WAYS else ""
        shown = next((way for way in ways if way.facts is not None), None)
        facts = {} if shown is None or shown.facts is None else self.asked.said(shown.facts)
        name = self._listed(core)
        keeps = f"keeps {name}" if len(core) == 1 else f"keeps all rules: {name} conflict there"
        what = f"When {', or when '.join(when)}{more}, no answer {keeps}."
        if shown is None:
            do = "Whether a record can be so was not found out."
            return self._of("open", "note", core[-1], what, do, core[:-1])
        do = "Change it, or give it an exception." if len(core) == 1 else _EXCEPTION
        made = self._of("no answer", "warning", core[-1], what, do, core[:-1])
        return replace(made, facts=facts)

    def _fixed(self) -> list[Finding]:
        """What no answer may be, or every answer must be: a finding a variable."""
        made, start = [], self.asked.first
        for variable in self.rules.vocabulary.decided:
            if variable.kind == "flag":
                made += self._flag(variable, start + 1)
                start += 1
            else:
                made += self._values(variable, start + 1)
                start += len(variable.names)
        return made

    def _flag(self, variable: Variable, place: int) -> list[Finding]:
        sides: tuple[tuple[int, Kind, str], ...] = ((place, "forced", "yes"), (-place, "dead", "no"))
        for literal, kind, said in sides:
            if literal in self.found.fixed:
                why = f"{self._known([literal])}{self._because(self.found.fixed[literal])}"
                what = f"{variable.name} is {said} in every answer{why}."
                return [self._about(kind, "warning", self.found.fixed[literal], what)]
        return []

    def _values(self, variable: Variable, first: int) -> list[Finding]:
        dead = [i for i in range(len(variable.names)) if -(first + i) in self.found.fixed]
        if not dead:
            return []
        reasons = sorted({r for i in dead for r in self.found.fixed[-(first + i)] or ()})
        # What a single rule says outright is meant.
        severity: Severity = "note" if variable.levels or len(reasons) == 1 else "warning"
        left = [n for i, n in enumerate(variable.names) if i not in dead]
        why = f"{self._known([-(first + i) for i in dead])}{self._because(reasons)}"
        if len(left) == 1:
            what = f"{variable.name} is {left[0]} in every answer{why}."
            return [self._about("forced", "warning", reasons, what)]
        never = some(tuple(variable.names[i] for i in dead))
        what = f"{variable.name} is never {never}{why}."
        return [self._about("dead", severity, reasons, what)]

    def _events(self) -> list[Finding]:
        """Which events never or always happen; that a single rule says so outright is meant."""
        made = []
        for fate in self.fates:
            severity: Severity = "note" if len(fate.reasons) == 1 else "warning"
            kind: Kind = "forced" if fate.happens else "dead"
            when = "always" if fate.happens else "never"
            what = f"{fate.event} {when} happens in {fate.sequence}{self._because(fate.reasons)}."
            made.append(self._about(kind, severity, fate.reasons, what))
        return made

    def _idle(self) -> list[Finding]:
        made = []
        for i, reasons in self.found.vacuous.items():
            why = self._because(reasons) or (", whatever the record" if reasons == () else "")
            what = f"The condition of {self._name(i)} never holds{why}."
            do = "Check the condition: as it stands the rule never asks for anything."
            made.append(self._of("never applies", "warning", i, what, do, reasons or ()))
        return made

    def _implied(self) -> list[Finding]:
        made, twice = [], {b: a for a, b in reversed(self.found.same)}
        for i, reasons in self.found.implied.items():
            if i in self.found.vacuous:
                continue
            name = self._name(i)
            if i in twice:
                what = f"{name} says the same as {self._name(twice[i])}."
                made.append(self._of("same", "warning", i, what, "Remove one of the two.", (twice[i],)))
            elif any(i == a for a, _ in self.found.same):
                continue  # the other of the two is told of
            elif reasons == () and i in self.found.gaps:
                continue  # it is about missing facts
            elif reasons == ():
                what = f"{name} holds whatever the record: it rules nothing out."
                made.append(self._of("always", "warning", i, what, "Check what it was meant to say."))
            elif i in self.found.gaps:
                what = f"{name} follows{self._from(reasons)} where no fact is missing."
                do = "Keep it if a fact may be missing."
                made.append(self._of("gap", "note", i, what, do, reasons or ()))
            else:
                what = f"{name} follows{self._from(reasons)}."
                do = "Remove it: nothing changes." if i in self.found.removable else _ONE_OF
                made.append(self._of("implied", "warning", i, what, do, reasons or ()))
        return made

    def _equal(self) -> list[Finding]:
        words = self._watched()
        return [
            Finding("equal", "note", "", 0, 0, f"{words[a]} exactly when {words[b]}, in every answer.")
            for a, b in ((a - self.asked.first, b - self.asked.first) for a, b in self.found.equal)
        ]

    def _soft(self) -> list[Finding]:
        core = self.found.soft_core
        if not core:
            return []
        what = f"The soft rules {self._listed(core)} can never all be kept."
        if len(core) == 1:
            what = f"The soft rule {self._name(core[0])} can never be kept."
        do = "Their weights decide which one gives way." if len(core) > 1 else "Change it, or remove it."
        return [self._of("soft conflict", "note", core[-1], what, do, core[:-1])]

    def _open(self) -> list[Finding]:
        """What was not found out, in time or at all."""
        return [
            *self._late(),
            *self._unasked(),
            *(
                self._of("open", "note", rules[0], words.format(rules=self._listed(rules)), "", rules[1:])
                for rules, words in self.unchecked
            ),
        ]

    def _late(self) -> list[Finding]:
        if self.found.satisfiable is None or not self.found.satisfiable or not self.found.open:
            return []
        what = f"Nothing was found out in time about {self._listed(self.found.open)}."
        return [self._of("open", "note", self.found.open[0], what, "", self.found.open[1:])]

    def _unasked(self) -> list[Finding]:
        """What was not found out of facts that leave no answer."""
        if not self.found.satisfiable:
            return []
        if self.stranded is not None and self.stranded.more:
            what = "Other rules conflict too under some facts."
            return [Finding("open", "note", "", 0, 0, what, "They are told when these are mended.")]
        if self.stranded is not None and self.stranded.decided:
            return []
        more = "further " if self.stranded is not None and self.stranded.clashes else ""
        what = f"Whether {more}facts leave no answer was not found out in time."
        return [Finding("open", "note", "", 0, 0, what)]

    # Words

    def _status(self, rule: int) -> Status:
        found = self.found
        if any(rule in core for core in found.cores):
            return "conflict"
        if rule in found.vacuous:
            return "never applies"
        if rule in found.implied and rule not in found.gaps:
            if any(rule in pair for pair in found.same):
                return "same"
            return "always" if found.implied[rule] == () else "implied"
        return "needed" if rule in self.needed else "unknown"

    def _of(
        self, kind: Kind, severity: Severity, rule: int, what: str, do: str = "", others: Sequence[int] = ()
    ) -> Finding:
        about: Rule = self.rules.rules[rule]
        return Finding(kind, severity, about.name, about.line, about.column, what, do, self._names(others))

    def _about(self, kind: Kind, severity: Severity, reasons: Sequence[int] | None, what: str) -> Finding:
        do = "If that is not meant, loosen one of these rules." if reasons else ""
        if not reasons:
            return Finding(kind, severity, "", 0, 0, what, do)
        return self._of(kind, severity, reasons[0], what, do, reasons[1:])

    def _because(self, reasons: Sequence[int] | None) -> str:
        return f", by {self._listed(reasons)}" if reasons else ""

    def _known(self, literals: Sequence[int]) -> str:
        return " where no fact is missing" if set(literals) & set(self.found.lifted) else ""

    def _from(self, reasons: Sequence[int] | None) -> str:
        return f" from {self._listed(reasons)}" if reasons else " from the others"

    def _name(self, rule: int) -> str:
        name = self.rules.rules[rule].name
        return f"{name} ({self.origins[name]})" if name in self.origins else name

    def _names(self, rules: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.rules.rules[i].name for i in rules)

    def _listed(self, rules: Sequence[int]) -> str:
        most = _MOST_NAMED if len(rules) > _MOST_NAMED + 1 else len(rules)  # never "and 1 more"
        shown = tuple(map(self._name, rules[:most]))
        more = len(rules) - len(shown)
        return listed((*shown, f"{more} more") if more else shown)

    def _watched(self) -> list[str]:
        """Return the values of decided variables as clauses of a sentence."""
        return [
            words
            for v in self.rules.vocabulary.decided
            for words in ([v.name] if v.kind == "flag" else [f"{v.name} = {name}" for name in v.names])
        ]


_ALONE = "Fine where no record can be so; if some can, make it soft, or let it decide something."
_EXCEPTION = "Change one of them, or give it an exception."
_ONE_OF = "Removing it changes nothing, as long as the rules that it follows from stay."
