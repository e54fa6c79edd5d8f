"""The steps of the calibration, one screen each."""
