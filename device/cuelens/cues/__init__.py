"""What is told and when: settling, modes, limits, fading. Pure: no clock, no file, no profile."""
