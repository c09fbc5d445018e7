"""Nodes that belong to no paradigm: preparing, splitting, joining and answering, one file each."""
