"""One side of a comparison each, run as a process of its own: `python -m engine.bench.sides.NAME JOB`.

A peer's library is imported here and nowhere else. A side may run under another interpreter that has none of
our dependencies, so it imports the standard library, NumPy, its peer, and `serving` alone.
"""
