"""Data sources: one node a file format."""
