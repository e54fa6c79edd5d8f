"""What `benchmarks/fuzz.py` runs: one reader after another, on inputs that nobody thought of."""
