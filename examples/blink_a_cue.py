"""Shows the light of an expression on the pins of a board, or on gpiozero's mock pins where there is no board."""

import argparse
import time
from contextlib import closing

from cuelens.adapters.gpio import Gpio
from cuelens.light.cue_lights import light_pattern, lights
from cuelens.profile.profile import Profile
from cuelens.settings import Pins


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("expression", nargs="?", default="happy", choices=lights(Profile()))
    cue = lights(Profile())[options.parse_args().expression]
    with closing(Gpio(Pins())) as gpio:
        print(f"{cue.pattern} in {cue.colour} for {cue.light_s} s, on {'mock' if gpio.mocked else 'real'} pins")
        gpio.light().show(light_pattern(cue, percent=40))
        for _ in range(round(cue.light_s / 0.25) + 2):
            lit = (f"{key} {gpio.factory.pin(pin).state:4.0%}" for key, pin in Pins().light().items())
            print("  ".join(lit))
            time.sleep(0.25)


if __name__ == "__main__":
    main()
