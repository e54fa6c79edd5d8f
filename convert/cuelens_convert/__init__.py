"""From a trained Keras network to an int8 bundle for the glasses, on a workstation."""
