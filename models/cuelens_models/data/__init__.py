"""Face data for training and evaluation: one format a file, one loader that owns the splits."""
