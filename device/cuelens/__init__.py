"""What runs on the glasses: frames in, quiet cues out."""
