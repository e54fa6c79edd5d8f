"""The cue policy: settling (smoothing, debounce), modes, rate limits, fading. Pure: no clock, no file, no profile."""
