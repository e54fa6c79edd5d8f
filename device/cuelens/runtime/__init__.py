"""The parts joined and running: loop, pipeline, button, outputs and the event stream."""
