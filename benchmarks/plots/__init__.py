"""The pictures of the documentation, each drawn from a file of figures (`python -m benchmarks.plots`)."""
