"""Accuracy, calibration and cost of a model on held-out faces."""
