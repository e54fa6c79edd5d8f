"""From a frame to readings: face detection, tracking, and the model's probabilities for each face."""
