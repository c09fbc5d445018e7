"""Running a graph with packed arrays. The trainer scores with it, so what is shown is what is shipped."""
