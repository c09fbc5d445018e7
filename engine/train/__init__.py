"""Training: one generator that yields progress, and what it needs."""
