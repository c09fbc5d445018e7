"""Our side: products of automata and Viterbi over a whole stream of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...logic.sequences.engine import SequenceEngine
from .rule_streams import keep
from .sequence_streams import EVENTS, stream
from .serving import Work, serve


def make(job: dict[str, Any]) -> Work:
    """Return the work of repairing `job["records"]` sequences at once."""
    rules, labels, costs = stream(job, int(job["records"]))
    engine = SequenceEngine(rules, EVENTS)
    lengths = np.full(len(labels), labels.shape[1])
    done = engine(labels, costs, lengths)
    if (engine.places(done.labels, lengths) >= 0).any():
        raise AssertionError("an answer breaks a rule")
    keep(job, job["name"], done.costs)
    return lambda: engine(labels, costs, lengths)


if __name__ == "__main__":
    serve(make)
