"""From a frame to readings: where faces are, who is who, and what the model says of each."""
