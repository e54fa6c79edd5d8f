"""The version of the distribution: one number for the models, the converter and the glasses."""

__version__ = "0.1.0"
