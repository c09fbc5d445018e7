"""Rule packs and streams of classifier outputs, drawn by seed: what every side of the rules suite works on.

A rule is (literals, bound): at least so many of the literals hold. Three kinds of pack: `rand3`, random
3-clauses that can be kept together; `mixL` and `mixG`, groups of which exactly one holds, implications,
exclusions and counts that eight planted assignments keep, over neighbouring or over any variables. The truth
of a record is an assignment that keeps all rules; the classifier's logits are that truth with Gaussian noise.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from statistics import NormalDist
from typing import Any

import numpy as np
from pysat.card import CardEnc, EncType
from pysat.solvers import Solver

Rule = tuple[list[int], int]
_NOISE = 2.0  # standard deviation of a logit
_SCALE = 1000  # costs are thousandths of a logit


def pack(kind: str, variables: int, rules: int, seed: int) -> list[Rule]:
    """Return the rules of a pack; groups come as two rules each and count as one."""
    rng = np.random.default_rng(seed)
    if kind == "rand3":
        while True:
            found: list[Rule] = []
            for _ in range(rules):
                chosen = rng.choice(variables, 3, replace=False) + 1
                found.append(([int(v) * int(rng.choice([-1, 1])) for v in chosen], 1))
            with Solver(name="cd19", bootstrap_with=clauses(found, variables)[0]) as solver:
                if solver.solve():
                    return found
    return _mix(rng, variables, rules, local=kind == "mixL")


def _mix(rng: np.random.Generator, variables: int, rules: int, *, local: bool) -> list[Rule]:
    order = np.arange(variables) if local else rng.permutation(variables)
    groups: list[list[int]] = []
    at = 0
    while at + 3 <= variables * 0.5:
        size = min(int(rng.integers(3, 6)), variables - at)
        groups.append([int(x) + 1 for x in order[at : at + size]])
        at += size
    planted = []
    for _ in range(8):
        values = rng.random(variables) < 0.35
        for group in groups:
            values[np.array(group) - 1] = False
            values[group[rng.integers(len(group))] - 1] = True
        planted.append(values)
    found: list[Rule] = []
    for group in groups:
        found += [(group, 1), _at_most(group, 1)]
    count = len(groups)
    while count < rules:
        rule = _drawn(rng, variables, local=local)
        if all(_holds(rule, values) for values in planted):
            found.append(rule)
            count += 1
    return found


def _drawn(rng: np.random.Generator, variables: int, *, local: bool) -> Rule:
    def pick(count: int) -> list[int]:
        if local and rng.random() < 0.95:
            width = max(count + 4, 8)
            first = int(rng.integers(0, max(1, variables - width + 1)))
            window = np.arange(first, min(variables, first + width))
            return [int(x) + 1 for x in rng.choice(window, count, replace=False)]
        return [int(x) + 1 for x in rng.choice(variables, count, replace=False)]

    kind = rng.random()
    signs = {0.40: (-1, 1), 0.60: (-1, -1, 1), 0.75: (-1, 1, 1), 0.90: (-1, -1)}
    for limit, chosen in signs.items():
        if kind < limit:
            return [s * v for s, v in zip(chosen, pick(len(chosen)), strict=True)], 1
    six = pick(min(6, variables))
    return _at_most(six, 3) if kind < 0.96 else (six, 1)


def _at_most(literals: list[int], bound: int) -> Rule:
    return [-x for x in literals], len(literals) - bound


def _holds(rule: Rule, values: Any) -> bool:
    return sum(bool(values[abs(x) - 1]) == (x > 0) for x in rule[0]) >= rule[1]


def clauses(rules: list[Rule], variables: int) -> tuple[list[list[int]], int]:
    """Return the rules as clauses by python-sat's encodings, and the highest variable in use."""
    top, found = variables, []
    for literals, bound in rules:
        if bound == 1:
            found.append(list(literals))
        elif bound == len(literals):
            found += [[x] for x in literals]
        elif bound == len(literals) - 1:
            found += [list(pair) for pair in combinations(literals, 2)]
        else:
            coded = CardEnc.atleast(lits=literals, bound=bound, top_id=top, encoding=EncType.seqcounter)
            top = max(top, coded.nv)
            found += coded.clauses
    return found, top


def truths(rules: list[Rule], variables: int, records: int, seed: int) -> Any:
    """Return assignments that keep the rules, bool (records, variables), from random phases and prefixes."""
    rng = np.random.default_rng(seed + 7)
    found = np.zeros((records, variables), bool)
    with Solver(name="g4", bootstrap_with=clauses(rules, variables)[0]) as solver:
        for i in range(records):
            drawn = rng.random(variables) < 0.45
            phases = [v if on else -v for v, on in enumerate(drawn.tolist(), 1)]
            solver.set_phases(phases)
            first = [phases[v] for v in rng.permutation(variables)[: max(1, variables // 4)]]
            while not solver.solve(assumptions=first):
                first = first[: len(first) // 2]
            found[i] = np.array(solver.get_model()[:variables]) > 0
    return found


def stream(job: dict[str, Any], records: int) -> tuple[list[Rule], Any, Any]:
    """Return the job's rules, predicted values, bool (records, variables), and their costs, int64.

    A longer stream begins with the records of a shorter one.
    """
    variables = int(job["variables"])
    rules = pack(job["kind"], variables, int(job["rules"]), int(job["seed"]))
    true = truths(rules, variables, records, int(job["seed"]))
    rng = np.random.default_rng(int(job["seed"]) + 13)
    mean = _NOISE * NormalDist().inv_cdf(float(job["accuracy"]))
    logits = mean * (2 * true - 1) + rng.normal(0, _NOISE, true.shape)
    costs = np.maximum(1, np.round(np.abs(logits) * _SCALE)).astype(np.int64)
    return rules, logits > 0, costs


def keep(job: dict[str, Any], name: str, costs: Any) -> None:
    """Write the costs of a side's answers, so that they can be compared with the others'."""
    np.save(f"{job['folder']}/{name}.npy", np.array(costs, np.int64))


def kept(job: dict[str, Any], work: Callable[[], list[int]]) -> Callable[[], list[int]]:
    """Return work that keeps the costs it finds when it is done the first time."""
    done: list[bool] = []

    def once_kept() -> list[int]:
        costs = work()
        if not done:
            keep(job, job["name"], costs)
            done.append(True)
        return costs

    return once_kept
