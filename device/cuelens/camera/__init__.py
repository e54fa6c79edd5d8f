"""From a camera to the latest frame: capture thread, frame buffers, frame clock, and the light that says it is on."""
