"""The headless verbs: the same engine that the window runs, from a shell."""
