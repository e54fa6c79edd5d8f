"""How bright, how loud, how warm and how long: the tables of docs/safety.md and docs/makers/power.md.

`make safety` writes the tables. tests/test_safety.py holds the factory profile's ceilings against the limits here.
What a data sheet says stands in a dataclass; docs/safety.md names its source. With figures of your own LED:

    .venv/bin/python tools/safety.py --mcd 1200 5000 3000 --volts 1.8 2.4 2.6 --area-mm2 19.6
"""

import argparse
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cuelens.profile.profile import Profile
from cuelens.sound.clip import LOUDEST_DB, LOUDNESS

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = (ROOT / "docs" / "safety.md", ROOT / "docs" / "makers" / "power.md")
_TABLE: Final = re.compile(r"(<!-- table: (\w+), by `make safety` -->\n)(.*?)(<!-- end of the table -->)", re.DOTALL)
_E12: Final = (10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82)

PIN_V: Final = 3.3
PIN_MOST_MA: Final = 16.0
PINS_MOST_MA: Final = 50.0
"""What one pin and all pins together can safely give (Raspberry Pi documentation, power supplies)."""

WHITE_CD_M2: Final = 2000.0
"""Luminance of white at full power that the resistors are chosen for."""
SHARES: Final = (0.2126, 0.7152, 0.0722)
"""Shares of red, green and blue in the luminance of white (sRGB, IEC 61966-2-1): colours look as on the page."""
LIGHT_SPREAD: Final = 2.0
"""An LED may be this many times as bright as its data sheet says: bins span a factor of two."""
RETINA_CD_M2: Final = 10_000.0
"""White light below it needs no further assessment (ICNIRP)."""
SKY_CD_M2: Final = 3000.0
"""An overcast sky of 10,000 lux, which is E / pi: every child sees it daily."""
SCREEN_CD_M2: Final = 500.0
"""A telephone's screen at its brightest, indoors."""
BLUE_W_M2_SR: Final = 100.0
"""Greatest radiance weighted with the blue-light hazard, for any time (ICNIRP 2013; IEC 62471, exempt group)."""
_BLUE: Final = ((0.3210, 0.001), (0.7932, 0.0316), (0.0600, 0.80))
"""V and B of red 625 nm, green 525 nm, blue 460 nm: the eye's sensitivity (CIE 1931) and the hazard's (ICNIRP 2013)."""
_LM_PER_W: Final = 683.0
_PUPIL: Final = (7 / 3) ** 2
"""Area of a child's pupil of 7 mm in the dark, against the 3 mm that the limit assumes."""
EYE_M: Final = 0.025
EDGE_DEGREES: Final = 40.0
"""Distance from the light to the eye, and its angle from straight ahead (docs/makers/frame.md)."""

EAR_DB: Final = 75.0
"""dB(A) at the ear: the criterion for children, there for forty hours a week (WHO and ITU, H.870)."""
SOUND_SPREAD_DB: Final = 3.0
"""Tolerance of a small speaker's sensitivity."""
EAR_M: Final = 0.03
GAINS_DB: Final = (3, 6, 9, 12, 15)
_FULL_SCALE_DBV: Final = 2.1
"""Output of the amplifier for a sine at full scale, without its gain (MAX98357A data sheet)."""


@dataclass(frozen=True, slots=True)
class Led:
    """Red, green and blue in one case. mcd: on the axis at `at_ma`. volts: at a small current. area_mm2: lit."""

    mcd: tuple[float, float, float] = (1200.0, 5000.0, 3000.0)
    at_ma: float = 20.0
    volts: tuple[float, float, float] = (1.8, 2.4, 2.6)
    area_mm2: float = 19.6


@dataclass(frozen=True, slots=True)
class Speaker:
    """A small speaker. db: its level at 0.1 W and 0.1 m."""

    ohm: float = 8.0
    db: float = 90.0


@dataclass(frozen=True, slots=True)
class Draw:
    """What a part takes, in mA at 5 V: as measured or hoped for, and as its maker says to plan for."""

    part: str
    low_ma: float
    high_ma: float


DRAWS: Final = (
    Draw("Zero 2 W, idle; its typical active current", 120, 350),
    Draw("one core busy for four tenths of the time", 60, 0),
    Draw("camera and image processor", 90, 250),
    Draw("lights", 5, 10),
    Draw("amplifier and speech", 3, 10),
)
CELLS_MAH: Final = (1000, 2000)
_CELL_V: Final = 3.7
_BOOST: Final = 0.9
_USABLE: Final = 0.8
_W_M2_K: Final = 10.0
CASES_CM2: Final = (80, 120)


def resistor_ohm(least: float) -> int:
    """Return the smallest resistor of the E12 series that is not below `least` ohms."""
    decade = 10 ** math.floor(math.log10(least)) / 10
    return round(next(step * decade for step in (*_E12, 100) if step * decade >= least * 0.9999))


def resistors(led: Led) -> tuple[int, ...]:
    """Return the series resistors of red, green and blue with which white has WHITE_CD_M2 at full power, or less."""
    found = []
    for mcd, volts, share in zip(led.mcd, led.volts, SHARES, strict=True):
        wanted_mcd = WHITE_CD_M2 * share * led.area_mm2 / 1000
        found.append(resistor_ohm((PIN_V - volts) / (wanted_mcd / mcd * led.at_ma) * 1000))
    return tuple(found)


def intensities_cd(led: Led, ohms: Sequence[float]) -> tuple[float, ...]:
    """Return the luminous intensity of red, green and blue at full power: I = (3.3 V - forward voltage) / R."""
    return tuple(
        (PIN_V - volts) / ohm * 1000 * mcd / led.at_ma / 1000
        for mcd, volts, ohm in zip(led.mcd, led.volts, ohms, strict=True)
    )


def luminance_cd_m2(led: Led, ohms: Sequence[float], percent: float) -> float:
    """Return the luminance of white: intensity over lit area, times the duty cycle (Talbot's law)."""
    return sum(intensities_cd(led, ohms)) / (led.area_mm2 * 1e-6) * percent / 100


def blue_w_m2_sr(led: Led, ohms: Sequence[float], percent: float) -> float:
    """Return white's radiance weighted with the blue-light hazard: for each colour L * B / (683 lm/W * V)."""
    return sum(
        candela / (led.area_mm2 * 1e-6) * hazard / (_LM_PER_W * sight) * percent / 100
        for candela, (sight, hazard) in zip(intensities_cd(led, ohms), _BLUE, strict=True)
    )


def eye_lux(led: Led, ohms: Sequence[float], percent: float) -> float:
    """Return the illuminance at the eye of a lamp that points at it: intensity over the square of the distance."""
    return sum(intensities_cd(led, ohms)) / EYE_M**2 * percent / 100


def veil_cd_m2(lux: float) -> float:
    """Return the veil of stray light in the eye over what is looked at: 10 E / angle^2 (CIE, Stiles and Holladay)."""
    return 10 * lux / EDGE_DEGREES**2


def ear_db(speaker: Speaker, gain_db: float, series_ohm: float, percent: float) -> float:
    """Return the level of a phrase's loudest part at the ear, in dB(A).

    A sine at full scale has the amplifier's 2.1 dBV and its gain. The resistor in series divides the voltage. The level
    falls by 20 dB for ten times the distance.
    """
    of_full_scale_db = 20 * math.log10(LOUDNESS * math.sqrt(2) * percent / 100) + LOUDEST_DB
    divided_db = 20 * math.log10(speaker.ohm / (speaker.ohm + series_ohm))
    volts = 10 ** ((of_full_scale_db + _FULL_SCALE_DBV + gain_db + divided_db) / 20)
    return speaker.db + 10 * math.log10(volts**2 / speaker.ohm / 0.1) + 20 * math.log10(0.1 / EAR_M)


def series_ohm(speaker: Speaker, gain_db: float, percent: float) -> int:
    """Return the resistor before the speaker that keeps a loud sample of it under EAR_DB at `percent`; 0 for none."""
    over_db = ear_db(speaker, gain_db, 0, percent) + SOUND_SPREAD_DB - EAR_DB
    return resistor_ohm(speaker.ohm * (10 ** (over_db / 20) - 1)) if over_db > 0 else 0


def watts(draws: Sequence[float]) -> float:
    """Return the power of currents in mA at 5 V."""
    return sum(draws) * 5 / 1000


def hours(cell_mah: float, power_w: float) -> float:
    """Return how long a cell lasts: its energy at 3.7 V, nine tenths through the converter, eight tenths of it used."""
    return cell_mah / 1000 * _CELL_V * _BOOST * _USABLE / power_w


def surface_c(power_w: float, case_cm2: float, air_c: float) -> float:
    """Return the mean temperature of a case in still air: air + power / (10 W/m2K * area)."""
    return air_c + power_w / (_W_M2_K * case_cm2 * 1e-4)


def tables() -> dict[str, str]:
    """Return the tables of the pages by name."""
    made = {
        "light": _light(Led()),
        "resistors": _resistors(Led()),
        "pins": _pins(Led()),
        "sound": _sound(Speaker()),
        "power": _power(),
        "hours": _hours(),
        "heat": _heat(),
    }
    return {name: "".join(f"{line}\n" for line in lines) for name, lines in made.items()}


def filled(page: str) -> str:
    """Return a page with its tables made anew. Raises KeyError for a table that nobody makes."""
    made = tables()
    return _TABLE.sub(lambda match: match[1] + made[match[2]] + match[4], page)


def _light(led: Led) -> Iterator[str]:
    light, ohms = Profile().light, resistors(led)
    yield "| at | white, cd/m2 | a bright sample | limit | its blue-light, W/m2sr | at the eye, lux | veil, cd/m2 |"
    yield "|---|---|---|---|---|---|---|"
    for name, percent, limit in (
        ("full power, 100 %", 100, RETINA_CD_M2),
        (f"`ceiling_percent`, {light.ceiling_percent} %", light.ceiling_percent, SKY_CD_M2),
        (f"`brightness_percent`, {light.brightness_percent} %", light.brightness_percent, SKY_CD_M2),
        (f"`night_percent`, {light.night_percent} %", light.night_percent, SCREEN_CD_M2),
    ):
        seen = luminance_cd_m2(led, ohms, percent)
        blue = blue_w_m2_sr(led, ohms, percent) * LIGHT_SPREAD * _PUPIL
        lux = eye_lux(led, ohms, percent) * LIGHT_SPREAD
        yield (
            f"| {name} | {seen:.0f} | {seen * LIGHT_SPREAD:.0f} | {limit:.0f} | {blue:.1f} of {BLUE_W_M2_SR:.0f}"
            f" | {lux:.0f} | {veil_cd_m2(lux):.2f} |"
        )


def _resistors(led: Led) -> Iterator[str]:
    ohms = resistors(led)
    yield "| | red | green | blue |\n|---|---|---|---|"
    yield _row("on its axis at 20 mA, mcd", [f"{mcd:.0f}" for mcd in led.mcd])
    yield _row("forward voltage at a small current, V", [f"{volts:.1f}" for volts in led.volts])
    yield _row("share of white", [f"{share:.1%}" for share in SHARES])
    yield _row("wanted, mcd", [f"{WHITE_CD_M2 * share * led.area_mm2 / 1000:.1f}" for share in SHARES])
    yield _row("**series resistor, ohm**", [f"**{ohm}**" for ohm in ohms])
    yield _row(
        "current, mA", [f"{(PIN_V - volts) / ohm * 1000:.2f}" for volts, ohm in zip(led.volts, ohms, strict=True)]
    )


def _pins(led: Led) -> Iterator[str]:
    yield "| rule | current of a pin | least resistor of a red LED, ohm |\n|---|---|---|"
    for rule, most_ma in (
        ("what a pin survives", PIN_MOST_MA),
        ("drive strength after a start, boards up to 3", 8.0),
        ("the same, board 4", 4.0),
    ):
        yield f"| {rule} | {most_ma:.0f} mA | {resistor_ohm((PIN_V - led.volts[0]) / most_ma * 1000)} |"


def _sound(speaker: Speaker) -> Iterator[str]:
    sound = Profile().sound
    yield (
        f"| gain | at 100 %, dB(A) | at {sound.ceiling_percent} % | at {sound.volume_percent} % | resistor, ohm"
        f" | with it: at 100 % | at {sound.ceiling_percent} % | a loud sample there |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for gain in GAINS_DB:
        ohm = series_ohm(speaker, gain, sound.ceiling_percent)
        bare = [ear_db(speaker, gain, 0, percent) for percent in (100, sound.ceiling_percent, sound.volume_percent)]
        held = [ear_db(speaker, gain, ohm, percent) for percent in (100, sound.ceiling_percent)]
        cells = [f"{level:.0f}" for level in bare] + [str(ohm)] + [f"{level:.1f}" for level in held]
        yield _row(f"{gain} dB", [*cells, f"{held[1] + SOUND_SPREAD_DB:.1f}"])


def _power() -> Iterator[str]:
    low, high = [draw.low_ma for draw in DRAWS], [draw.high_ma for draw in DRAWS]
    yield "| part | low, mA at 5 V | high, mA at 5 V |\n|---|---|---|"
    yield from (f"| {draw.part} | {draw.low_ma:.0f} | {draw.high_ma:.0f} |" for draw in DRAWS)
    yield f"| **together** | **{sum(low):.0f}, {watts(low):.1f} W** | **{sum(high):.0f}, {watts(high):.1f} W** |"


def _hours() -> Iterator[str]:
    low, high = watts([draw.low_ma for draw in DRAWS]), watts([draw.high_ma for draw in DRAWS])
    yield f"| cell | at {low:.1f} W | at {high:.1f} W |\n|---|---|---|"
    yield from (f"| {mah} mAh | {hours(mah, low):.1f} h | {hours(mah, high):.1f} h |" for mah in CELLS_MAH)


def _heat() -> Iterator[str]:
    low, high = watts([draw.low_ma for draw in DRAWS]), watts([draw.high_ma for draw in DRAWS])
    yield "| outside of the case | power | in air of 25 C | in air of 30 C |\n|---|---|---|---|"
    for case in CASES_CM2:
        for power in (low, high):
            warm = " | ".join(f"{surface_c(power, case, air):.0f} C" for air in (25, 30))
            yield f"| {case} cm2 | {power:.1f} W | {warm} |"


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mcd", nargs=3, type=float, help="red, green and blue on the axis at 20 mA")
    parser.add_argument("--volts", nargs=3, type=float, default=Led.volts, help="forward voltages at a small current")
    parser.add_argument("--area-mm2", type=float, default=19.6, help="lit area, of lens or diffuser")
    options = parser.parse_args()
    if options.mcd:
        led = Led(mcd=tuple(options.mcd), volts=tuple(options.volts), area_mm2=options.area_mm2)
        print("\n".join((*_resistors(led), "", *_light(led))))
        return
    for page in PAGES:
        page.write_text(filled(page.read_text("utf-8")), "utf-8")
        print(page)


if __name__ == "__main__":
    main()
