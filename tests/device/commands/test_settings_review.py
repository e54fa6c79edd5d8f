"""What `cuelens doctor` says of settings that are right by themselves, and cannot work together."""

from pathlib import Path

import pytest

from cuelens.commands import doctor as module
from cuelens.commands.doctor import doctor
from cuelens.commands.settings_review import i2s_clash
from cuelens.health import board
from cuelens.settings import Pins, Settings, SingleLed, Speaker

LED = (SingleLed(pin=20, colour="#F0E442"), SingleLed(pin=5, colour="#56B4E9"))


@pytest.mark.parametrize("device", ["default", "plughw:CARD=MAX98357A", "hw:CARD=sndrpihifiberry"])
@pytest.mark.parametrize(
    ("pins", "begins", "ends"),
    [
        (Pins(red=18), "pins.red is 18: ", "choose another pin"),
        (Pins(button=19, capture=21), "pins.button and pins.capture are 19 and 21: ", "choose other pins"),
        (Pins(single=LED, red=18), "pins.single[0].pin is 20: ", "choose another pin"),
    ],
)
def test_a_part_on_a_pin_of_the_amplifier_is_named(pins: Pins, begins: str, ends: str, device: str) -> None:
    clash = i2s_clash(Settings(pins=pins, speaker=Speaker(device=device)), on=device == "default")
    assert clash.startswith(f"{begins}an amplifier on I2S has GPIO 18 to 21 for itself")
    assert clash.endswith(ends)


@pytest.mark.parametrize(
    ("pins", "device", "on"),
    [
        (Pins(), "plughw:CARD=MAX98357A", True),
        (Pins(red=18), "plughw:CARD=Device", False),
        (Pins(red=17, green=22, blue=16, button="none", capture="none"), "default", True),
    ],
)
def test_pins_that_nothing_else_has_are_no_clash(pins: Pins, device: str, on: bool) -> None:
    assert i2s_clash(Settings(pins=pins, speaker=Speaker(device=device)), on=on) == ""


@pytest.mark.parametrize(
    ("node", "status", "on"),
    [
        ("soc/i2s@7e203000", b"okay\0", True),
        ("soc/i2s@7e203000", b"disabled\0", False),
        ("axi/pcie@1000120000/rp1/i2s@a0000", b"okay\0", True),
        ("soc/spi@7e204000", b"okay\0", False),
        ("soc/i2s@7e203000", None, False),
    ],
)
def test_the_device_tree_says_whether_the_pins_are_taken(
    tmp_path: Path, node: str, status: bytes | None, on: bool
) -> None:
    folder = tmp_path / "proc/device-tree" / node
    folder.mkdir(parents=True)
    if status:
        (folder / "status").write_bytes(status)
    assert board.i2s_is_on(tmp_path) is on
    assert not board.i2s_is_on(tmp_path / "elsewhere")


def test_the_doctor_tells_a_clash_before_the_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECKS", {})
    config = tmp_path / "cuelens.toml"
    config.write_text('[pins]\nbutton = 18\n[speaker]\ndevice = "plughw:CARD=MAX98357A"\n')
    assert doctor(config, as_json=False) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("warning   settings  pins.button is 18: an amplifier on I2S has GPIO 18 to 21 for itself")
    assert second.startswith("ok        settings  ")
    config.write_text("[pins]\nbutton = 18\n[speaker]\ndevice = 7\n")
    assert doctor(config, as_json=False) == 1
    (only,) = capsys.readouterr().out.splitlines()
    assert "speaker.device must be" in only
