"""Face data for training and evaluation: one file for each format, and one loader that owns the splits."""
