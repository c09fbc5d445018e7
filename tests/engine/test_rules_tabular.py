"""The documented facts of four real tables, written in the rule language."""

from __future__ import annotations

import numpy as np
import pytest

from engine.logic.repair import Repair
from engine.logic.ruleset import RuleSet
from engine.ports import Column

CAR = """
rule C1: if safety = low then class = unacc
    because "low safety is unacceptable"
    source "DEX car model, Bohanec & Rajkovic 1988"
rule C2: if persons = 2 then class = unacc
    because "two seats are unacceptable"
rule C3: if buying = vhigh and maint in {vhigh, high} then class = unacc
rule C4: if buying = high and maint = vhigh then class = unacc
rule C5: if safety in {low, med} then class in {unacc, acc, good}
rule C6: if buying in {vhigh, high} then class in {unacc, acc}
rule C7: if lug_boot = small then class in {unacc, acc, good}
"""

NURSERY = """
rule N1: if health = not_recom then class = not_recom
rule N2: if health in {priority, recommended} then class in {recommend, very_recom, spec_prior, priority}
rule N3: if health = priority then class in {spec_prior, priority}
rule N4: if parents = great_pret then class in {spec_prior, priority, not_recom}
rule N5: if has_nurs in {very_crit, critical} then class in {spec_prior, priority, not_recom}
"""

INTRUSION = """
rule I1: if land = 1 then class = land
rule I2: if land = 0 then class != land
rule I3: if service != http then class != back
rule I4: if service not in {telnet, ftp, pop_3, "pop_2", "imap4", "login", "ssh", "rlogin"}
    then class != guess_passwd
rule I5: if protocol in {udp, icmp} then class != buffer_overflow
rule I6: if num_failed_logins > 0 and service = telnet then class = guess_passwd
rule I7: if root_shell = 1 then class = buffer_overflow
"""

THYROID = """
rule T1: if TSH <= 6 then class = negative
rule T2: if FTI > 64 then class = negative
rule T3: if TT4_measured = n then class = negative
rule T4: if TSH > 6 and FTI <= 64 and on_thyroxine = f and thyroid_surgery = f then class = hypothyroid
"""

CAR_COLUMNS = (
    Column("buying", ("high", "low", "med", "vhigh")),
    Column("maint", ("high", "low", "med", "vhigh")),
    Column("persons", ("2", "4", "more")),
    Column("lug_boot", ("big", "med", "small")),
    Column("safety", ("high", "low", "med")),
)
NURSERY_COLUMNS = (
    Column("parents", ("great_pret", "pretentious", "usual")),
    Column("has_nurs", ("critical", "improper", "less_proper", "proper", "very_crit")),
    Column("health", ("not_recom", "priority", "recommended")),
)
INTRUSION_COLUMNS = (
    Column("protocol", ("icmp", "tcp", "udp")),
    Column("service", ("finger", "ftp", "http", "imap4", "link", "pop_3", "telnet")),
    Column("land"),
    Column("num_failed_logins"),
    Column("root_shell"),
)
THYROID_COLUMNS = (
    Column("TSH"),
    Column("FTI"),
    Column("TT4_measured", ("n", "y")),
    Column("on_thyroxine", ("f", "t")),
    Column("thyroid_surgery", ("f", "t")),
)
GAP = np.nan


@pytest.mark.parametrize(
    ("text", "classes", "columns", "facts", "allowed"),
    [
        (CAR, "acc good unacc vgood", CAR_COLUMNS, [1, 1, 1, 0, 0], "acc good unacc vgood"),
        (CAR, "acc good unacc vgood", CAR_COLUMNS, [1, 1, 0, 0, 0], "unacc"),
        (CAR, "acc good unacc vgood", CAR_COLUMNS, [0, 1, 1, 0, 2], "acc unacc"),
        (CAR, "acc good unacc vgood", CAR_COLUMNS, [1, 1, 2, 2, GAP], "acc good unacc"),
        (
            NURSERY,
            "not_recom priority recommend spec_prior very_recom",
            NURSERY_COLUMNS,
            [2, 3, 1],
            "priority spec_prior",
        ),
        (
            INTRUSION,
            "back buffer_overflow guess_passwd land portsweep satan",
            INTRUSION_COLUMNS,
            [1, 6, 0, 1, 0],
            "guess_passwd",
        ),
        (
            INTRUSION,
            "back buffer_overflow guess_passwd land portsweep satan",
            INTRUSION_COLUMNS,
            [2, 0, 0, 0, 0],
            "portsweep satan",
        ),
        (THYROID, "hypothyroid negative", THYROID_COLUMNS, [GAP, 100, 1, 0, 0], "negative"),
        (THYROID, "hypothyroid negative", THYROID_COLUMNS, [7, 60, 1, 0, 0], "hypothyroid"),
        (THYROID, "hypothyroid negative", THYROID_COLUMNS, [7, GAP, 1, 0, 0], "hypothyroid negative"),
    ],
)
def test_documented_facts_allow_the_classes_they_should(text, classes, columns, facts, allowed):
    names = tuple(classes.split())
    rules = RuleSet.of(text, names, columns)
    done = Repair(rules)(np.zeros((1, len(names)), np.float32), np.array([facts], np.float64))
    assert [n for n, ok in zip(names, done.allowed[0], strict=True) if ok] == allowed.split()


def test_values_that_the_file_lacks_are_noted():
    classes = ("back", "buffer_overflow", "guess_passwd", "land", "portsweep", "satan")
    notes = RuleSet.of(INTRUSION, classes, INTRUSION_COLUMNS).notes
    assert [note.split(" = ")[1] for note in notes] == ["pop_2.", "login.", "ssh.", "rlogin."]
