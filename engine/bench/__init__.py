"""Speed as a ratio: ours beside a peer, in one run, in interleaved pairs. A new suite is one file here."""
