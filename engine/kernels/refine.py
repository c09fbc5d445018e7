"""Which states of an automaton tell no sequences apart: Hopcroft's partition refinement."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

I32 = npt.NDArray[np.int32]
ROOM = 8  # rows of room that `refine` needs


@kernel
def refine(blocks: I32, count: int, starts: I32, sources: I32, room: I32) -> int:
    """Split blocks of states until all states of a block lead to the same blocks, with the fewest blocks.

    Hopcroft 1971, An n log n algorithm for minimizing states in a finite automaton, Stanford CS-TR-71-190.

    Args:
        blocks: int32 (n,), the block of each state, 0 to count - 1; changed in place.
        count: how many blocks there are.
        starts: int32 (events, n + 1), where the sources of each state begin.
        sources: int32 (events, n), the states that lead to a state by an event.
        room: int32 (ROOM, n + 1), any content.

    Returns:
        How many blocks there are now.
    """
    elements, places, first, past, marked, queue = room[0], room[1], room[2], room[3], room[4], room[5]
    touched, splitter = room[6], room[7]
    _arrange(blocks, count, room)
    size = count
    for b in range(count):
        queue[b] = b
    while size:
        size -= 1
        b = queue[size]
        length = past[b] - first[b]
        for i in range(length):
            splitter[i] = elements[first[b] + i]
        for e in range(starts.shape[0]):
            hit = 0
            for i in range(length):
                for k in range(starts[e, splitter[i]], starts[e, splitter[i] + 1]):
                    s = sources[e, k]
                    y = blocks[s]
                    if marked[y] == 0:
                        touched[hit] = y
                        hit += 1
                    at, to = places[s], first[y] + marked[y]
                    other = elements[to]
                    elements[to], elements[at] = s, other
                    places[s], places[other] = to, at
                    marked[y] += 1
            for i in range(hit):
                if _split(blocks, touched[i], count, room):
                    # The smaller part; the larger one waits where it did before.
                    queue[size] = count
                    size += 1
                    count += 1
    return count


@kernel
def _arrange(blocks: I32, count: int, room: I32) -> None:
    """Lay the states of each block side by side."""
    elements, places, first, past, marked = room[0], room[1], room[2], room[3], room[4]
    past[:] = 0
    marked[:] = 0
    for s in range(blocks.size):
        past[blocks[s]] += 1
    at = 0
    for b in range(count):
        first[b] = at
        at += past[b]
        past[b] = first[b]
    for s in range(blocks.size):
        at = past[blocks[s]]
        elements[at], places[s] = s, at
        past[blocks[s]] += 1


@kernel
def _split(blocks: I32, y: int, new: int, room: I32) -> bool:
    """Make the smaller of the marked and the other states of `y` the block `new`; False if all are marked."""
    elements, first, past, marked = room[0], room[2], room[3], room[4]
    count = marked[y]
    marked[y] = 0
    rest = past[y] - first[y] - count
    if rest == 0:
        return False
    if count <= rest:
        first[new], past[new] = first[y], first[y] + count
        first[y] += count
    else:
        first[new], past[new] = first[y] + count, past[y]
        past[y] = first[new]
    for i in range(first[new], past[new]):
        blocks[elements[i]] = new
    return True
