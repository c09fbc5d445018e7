"""Random one-hot puzzles: cells of values, pairs that clash, values that are needed."""

from rule_sets import form_of

from engine.logic.normal import AtLeast


def random_puzzle(rng, cells, width, *, given=0, pairs=6, needs=3):
    """Return a form of `given` facts and of cells with up to `width` values each; it may be unsatisfiable."""
    sizes = rng.integers(1, width + 1, cells)
    count = given + int(sizes.sum())
    groups, at = [], given + 1
    for size in sizes:
        groups.append(tuple(range(at, at + int(size))))
        at += int(size)
    made = []
    for group in groups:
        made.append(AtLeast(group, 1, (), 0))
        if len(group) > 1:
            made.append(AtLeast(tuple(-v for v in group), len(group) - 1, (), 0))
    for _ in range(pairs):
        chosen = rng.choice(count, min(int(rng.integers(2, 4)), count), replace=False) + 1
        if len(chosen) > 1:
            made.append(AtLeast(tuple(-int(v) for v in chosen), len(chosen) - 1, (), 1))
    for _ in range(needs):
        chosen = rng.choice(count, min(int(rng.integers(1, 4)), count), replace=False) + 1
        made.append(AtLeast(tuple(int(v) for v in chosen), 1, (), 2))
    return form_of(count, made, given=given)
