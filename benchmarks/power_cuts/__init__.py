"""What `benchmarks/power_cut.py` runs: writers of files that are killed in the middle."""
