"""kernels/least.py and repair_search.py against their plain twins: what is compiled is what Python runs."""

import numpy as np
from rule_sets import brute_force, random_form, random_records

from engine.kernels import repair, repair_bound, repair_search, repair_state
from engine.kernels.jit import kernel, plain
from engine.kernels.least import FAR, rise
from engine.kernels.least import LANES as SWEPT
from engine.kernels.repair import Rows
from engine.kernels.repair_search import search_rows
from engine.kernels.repair_state import LANES, room_for
from engine.logic.diagram import diagram_of
from engine.logic.parts import parts_of
from engine.logic.pipeline import Engine


@kernel
def _rise_all(nodes, sides, least):
    for i in range(nodes.size // 3):
        rise(nodes, i, sides, least)


def test_the_vectors_of_a_sweep_are_the_twin_in_numpy():
    rng = np.random.default_rng(0)
    count, variables = 40, 7
    below = [rng.integers(0, i + 2, 2) for i in range(count)]
    nodes = np.array([[rng.integers(variables), a, b] for a, b in below], np.int32)
    sides = rng.integers(0, FAR, (variables, 2, SWEPT)).astype(np.int32)
    least = [np.zeros((count + 2, SWEPT), np.int32) for _ in range(2)]
    for room, run in zip(least, (_rise_all, plain(_rise_all)), strict=True):
        room[0] = FAR
        run(nodes.reshape(-1), sides.reshape(-1), room.reshape(-1))
    assert np.array_equal(*least)
    assert least[0].max() == FAR


def test_32_and_64_bits_sweep_alike():
    rng = np.random.default_rng(1)
    form = random_form(rng, 10, 14, given=2, planted=2)
    part = parts_of(form)[0]
    diagram = diagram_of(part)
    predicted, costs = random_records(rng, 10, 50)
    found = []
    for far, dtype in ((FAR, np.int32), (1 << 61, np.int64)):
        values, reached = predicted.copy(), np.empty(50, np.int64)
        batch = Rows(part.variables, part.given, costs, np.arange(50), values, reached)
        sides = np.zeros((len(part.variables), 2, SWEPT), dtype)
        least = np.empty((len(diagram.nodes) + 2, SWEPT), dtype)
        repair.sweep(diagram.nodes, diagram.root, batch, far, sides, least)
        found.append((values, reached))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])


def test_the_search_keeps_its_sums_through_flips_and_back():
    rng = np.random.default_rng(2)
    form = random_form(rng, 9, 14, planted=2, weighted=0.5)
    ready = Engine(form).parts[0]
    k, m = len(ready.part.variables), len(ready.part.constraints)
    room = room_for(k, m)
    room.values[:] = rng.random(k) < 0.5
    room.costs[:] = rng.integers(0, 9, k)
    _begin(ready, room)
    before = [room.reached.copy(), room.spare.copy(), room.values.copy(), set(_broken(room))]
    chosen = rng.permutation(k)
    for v in chosen:
        repair_search._decide(ready._sums, room, int(v), bool(rng.random() < 0.7))
        reached, spare = _sums_of(ready, room)
        assert np.array_equal(reached, room.reached)
        assert np.array_equal(spare, room.spare)
        assert set(_broken(room)) == set(np.flatnonzero(reached < ready._sums.bounds).tolist())
    for v in chosen[::-1]:
        assert repair_search._undo(ready._sums, room) == v
    assert room.now[repair_state.COST] == 0
    after = [room.reached, room.spare, room.values, set(_broken(room))]
    for was, now in zip(before[:3], after[:3], strict=True):
        assert np.array_equal(was, now)
    assert before[3] == after[3]


def test_the_search_begins_with_the_sums_of_every_record_of_a_block():
    rng = np.random.default_rng(5)
    for given in (0, 3):
        form = random_form(rng, 9, 14, given=given, planted=2, weighted=0.5)
        for ready in Engine(form).parts:
            k, m = len(ready.part.variables), len(ready.part.constraints)
            predicted, costs = random_records(rng, 9, 2 * LANES)
            rows = np.arange(5, 5 + LANES + 3)
            batch = Rows(ready.part.variables, ready.part.given, costs, rows, predicted, rows.copy())
            room = room_for(k, m)
            room.fixed[: ready.part.given] = 1
            for i, r in enumerate(rows):
                room.values[:] = predicted[r, ready.part.variables]
                if i % LANES == 0:
                    repair_search._reach(ready._sums, room, batch, i)
                repair_search._begin(ready._sums, room, ready.part.given, i % LANES)
                reached, spare = _sums_of(ready, room)
                assert np.array_equal(reached, room.reached)
                assert np.array_equal(spare, room.spare)
                assert _broken(room) == np.flatnonzero(reached < ready._sums.bounds).tolist()


def test_the_bound_never_exceeds_what_is_left_to_pay():
    rng = np.random.default_rng(4)
    for _ in range(60):
        form = random_form(rng, 8, 12, planted=1, weighted=0.3)
        ready = Engine(form).parts[0]
        predicted, costs = random_records(rng, 8, 1)
        least = int(brute_force(form, predicted, costs)[0])
        room = room_for(len(ready.part.variables), len(ready.part.constraints))
        room.values[:] = predicted[0, ready.part.variables]
        room.costs[:] = costs[0, ready.part.variables]
        _begin(ready, room, plain)
        if room.now[repair_state.BROKEN]:
            room.now[repair_state.BEST] = least + 1
            for ahead in (False, True):
                assert plain(repair_bound._bounded)(ready._sums, room, ahead) >= 0


def test_the_search_finds_the_same_without_being_compiled():
    rng = np.random.default_rng(3)
    form = random_form(rng, 9, 14, given=2, planted=1)
    ready = Engine(form).parts[0]
    predicted, costs = random_records(rng, 9, 12)
    found = []
    for run in (search_rows, plain(search_rows)):
        values, reached, proven = predicted.copy(), np.empty(12, np.int64), np.empty(12, bool)
        room = room_for(len(ready.part.variables), len(ready.part.constraints))
        batch = Rows(ready.part.variables, ready.part.given, costs, np.arange(12), values, reached)
        run(ready._sums, room, batch, 1_000, proven)
        found.append((values, reached, proven))
    for a, b in zip(*found, strict=True):
        assert np.array_equal(a, b)
    assert found[0][2].all()


def _begin(ready, room, run=lambda kernel: kernel):
    """Begin a search from room.values, all of them to be decided."""
    k = len(ready.part.variables)
    values, every = room.values[None] != 0, np.arange(k, dtype=np.int32)
    batch = Rows(every, 0, room.costs[None], np.zeros(1, np.int64), values, np.zeros(1, np.int64))
    run(repair_search._reach)(ready._sums, room, batch, 0)
    run(repair_search._begin)(ready._sums, room, 0, 0)


def _sums_of(ready, room):
    """Return what each constraint reaches, and the weight of its false literals that are not decided."""
    reached, spare = [], []
    for c in ready.part.constraints:
        literals, weights = np.array(c.literals), np.array(c.weights or (1,) * len(c.literals))
        places = np.abs(literals) - 1
        true = (room.values[places] != 0) == (literals > 0)
        reached.append(weights[true].sum())
        spare.append(weights[~true & (room.fixed[places] == 0)].sum())
    return np.array(reached), np.array(spare)


def _broken(room):
    return room.broken[: room.now[repair_state.BROKEN]].tolist()
