"""Spiking networks: encoders, neurons and decoders in discrete time, one node a file."""
