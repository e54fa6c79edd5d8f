"""A running program: loop, pipeline, button, outputs and the event stream."""
