"""Hyperdimensional computing: encoders and memories on packed binary vectors, one node a file."""
