"""The panels around the canvas: inspector, training, spikes, weights, constraints, problems, status.

A panel shows what the document and the trainer hold, and edits through the document alone.
"""
