"""allowance.py: hard records of a batch share a limit of time; the rest is answered at once, or marked."""

import threading
import time

import numpy as np
import pytest
from rule_sets import form_of, random_form, random_records

from engine.allowance import Allowance, allowed, current, together
from engine.logic.normal import AtLeast
from engine.logic.pipeline import ALLOWED, FEASIBLE, NONE, OPTIMAL, RC2, SEARCH, UNKNOWN, Engine
from engine.logic.rules import Rules
from engine.logic.sequences.engine import SequenceEngine
from engine.logic.sequences.rule import Call, SequenceRule
from engine.logic.solver import Solver
from engine.ports import Spec

SECONDS = 0.02


class Slow:
    """A solver that takes its time over each record; whatever it finds is not proven."""

    def __init__(self, *, finds=True):
        self.process, self.finds, self.asked = Solver(), finds, []

    def cheapest(self, key, form, record, seconds):
        self.asked.append(seconds)
        time.sleep(SECONDS)
        if not self.finds:
            return None
        found = self.process.cheapest(key, form, record, 0)
        return {**found, "proven": False, "bound": 0}


@pytest.fixture
def slow():
    solver = Slow()
    yield solver
    solver.process.close()


def hard_engine(solver, rng, given=0):
    form = random_form(rng, 14, 40, given=given, planted=3)
    return form, Engine(form, branchings=1, widest=0, solver=solver)


def test_an_allowance_counts_what_is_spent_beyond_what_is_free():
    mine = Allowance(0.05)
    with mine.spent(free=60.0):
        time.sleep(0.01)
    assert mine.left == 0.05
    with mine.spent():
        time.sleep(0.06)
    assert mine.over
    assert not mine.overdrawn
    assert not Allowance().over
    assert Allowance(0.0).over
    assert not Allowance(0.0).overdrawn


def test_calls_share_an_allowance_only_inside_of_one_batch_and_of_one_guard():
    one, other = object(), object()
    with together():
        with allowed(one, 3.0) as first:
            assert current() is first
            with allowed(other, 3.0) as inner:
                assert current() is inner
            assert current() is first
        with together(), allowed(one, 3.0) as again:
            assert again is first
        assert inner is not first
    with allowed(one, 3.0) as alone:
        assert alone is not first
    with allowed(one, 3.0) as alone_again:
        assert alone_again is not alone
    assert current().left == float("inf")
    found = []
    with together(), allowed(one, 3.0):
        thread = threading.Thread(target=lambda: found.append(current().left))
        thread.start()
        thread.join()
    assert found == [float("inf")]


def test_a_batch_of_hard_records_ends_in_its_time_and_breaks_no_rule(slow):
    rng = np.random.default_rng(0)
    form, engine = hard_engine(slow, rng)
    predicted, costs = random_records(rng, 14, 3_000)
    engine(predicted[:1], costs[:1])  # compiles
    began = time.monotonic()
    with allowed(self := object(), 0.3):
        decided = engine(predicted, costs)
    assert self
    assert time.monotonic() - began < 10  # asked one by one, a minute at least
    assert len(slow.asked) < 200
    assert set(decided.status.tolist()) <= {ALLOWED, OPTIMAL, FEASIBLE}
    assert (decided.status == FEASIBLE).sum() > 100
    assert set(decided.tool[decided.status == FEASIBLE].tolist()) <= {SEARCH, RC2}
    assert form.holds(decided.values).all()
    paid = ((decided.values != predicted) * costs).sum(1)
    assert np.array_equal(paid, decided.costs)
    assert (decided.bounds <= decided.costs).all()


def test_what_was_found_for_other_facts_is_no_answer(slow):
    rng = np.random.default_rng(2)
    form, engine = hard_engine(slow, rng, given=3)
    predicted, costs = random_records(rng, 14, 1_000)
    decided = engine(predicted, costs, 0.2)
    answered = decided.status < UNKNOWN
    assert np.array_equal(decided.values[:, :3], predicted[:, :3])
    assert form.holds(decided.values[answered]).all()
    assert (decided.costs[~answered] == -1).all()


def test_where_nothing_is_found_the_rest_is_marked_and_not_asked_for():
    solver = Slow(finds=False)
    form = form_of(3, [AtLeast((1, 2), 1), AtLeast((1, 3), 1), AtLeast((-1, -2), 1)])
    decided = Engine(form, only="rc2", solver=solver)(
        np.zeros((400, 3), bool), np.ones((400, 3), np.int64), 0.1
    )
    assert set(decided.status.tolist()) == {UNKNOWN}
    assert decided.words(399)[:2] == ("unknown", "rc2")
    assert not decided.values.any()
    # A tenth of a second for all, and a second for answers at once.
    assert 5 <= len(solver.asked) <= 1.2 / SECONDS
    assert solver.asked[0] == pytest.approx(0.1, abs=0.05)
    assert solver.asked[-1] == 0.0


def test_a_guard_of_labels_shares_its_time_among_the_chunks_of_a_batch(slow, monkeypatch):
    rng = np.random.default_rng(1)
    names = tuple(f"v{i}" for i in range(12))
    form = random_form(rng, 12, 34, planted=3, weighted=0.0, size=3)
    said = [[("" if x > 0 else "not ") + names[abs(x) - 1] for x in c.literals] for c in form.constraints]
    bounds = [c.bound for c in form.constraints]
    rules = [f"rule: at least {k} of ({', '.join(parts)})" for k, parts in zip(bounds, said, strict=True)]
    node = Rules(rules="\n".join(rules), decides="labels", batch_seconds=0.2)
    spec = Spec("scores", (12,), classes=names, several=True)
    monkeypatch.setattr("engine.logic.pipeline.shared_solver", lambda: slow)
    monkeypatch.setattr(Engine, "_budget", lambda *_: 1)
    monkeypatch.setattr("engine.logic.ready.diagram_of", lambda *_: None)
    predict = node.predictor({}, spec, None, None)
    scores = rng.normal(size=(400, 12)).astype(np.float32)
    with together():
        for at in range(0, 400, 40):
            _, _, left, status = predict(scores[at : at + 40], None, None)
            assert not left.any()
            assert set(status[:, 0].tolist()) <= {ALLOWED, OPTIMAL, FEASIBLE, NONE}
    shared = len(slow.asked)
    assert 0 < shared < 100
    for at in range(0, 400, 40):
        predict(scores[at : at + 40], None, None)
    assert len(slow.asked) - shared > shared


def test_a_sequence_is_not_asked_for_where_the_time_of_its_batch_is_long_over(slow):
    rules = [SequenceRule("r", Call("response", (("a",), ("b",))))]
    engine = SequenceEngine(rules, ("a", "b"), only="rc2", solver=slow)
    labels, costs = np.zeros((60, 3), np.int32), np.tile([0, 1], (60, 3, 1))
    lengths = np.full(60, 3)
    with allowed(slow, 0.1):
        done = engine(labels, costs, lengths)
    assert 5 <= len(slow.asked) < 60
    late = done.status == UNKNOWN
    assert late.any()
    assert not late.all()
    assert (done.labels[~late, -1] == 1).all()  # `a` is answered by `b` at the end
    assert not done.labels[late].any()


@pytest.mark.parametrize("kind", ["logic.rules", "logic.sequence", "logic.boards"])
def test_every_guard_that_may_ask_the_solver_has_the_option(kind):
    from engine.catalog import NODES

    assert NODES[kind]().batch_seconds == 60.0
