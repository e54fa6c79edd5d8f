"""The network of the caregiver's page: its profile, its passphrase, and the card that tells them."""

import configparser
import math
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

pytest.importorskip("segno", reason="the extra web is not installed")

from cuelens.commands import access_point
from cuelens.commands.access_point import ALPHABET, CARD, CONNECTIONS, LETTERS
from cuelens_models.errors import BadInput

PROFILE = "cuelens.nmconnection"
UNITS = Path(__file__).parents[2] / "systemd"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """NetworkManager's and the card's."""
    for name in ("connections", "card"):
        (tmp_path / name).mkdir()
    return tmp_path / "connections", tmp_path / "card"


def made(folders: tuple[Path, Path]) -> access_point.Network:
    assert access_point.access_point(*folders) == 0
    return access_point.read(folders[0] / PROFILE)


def contents(folders: tuple[Path, Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for folder in folders for path in folder.iterdir()}


def decoded(picture: Path) -> str:
    image = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return cv2.QRCodeDetector().detectAndDecode(image)[0]


def test_a_passphrase_has_sixty_bits_and_is_easily_typed() -> None:
    assert len(ALPHABET) == len(set(ALPHABET))
    assert LETTERS * math.log2(len(ALPHABET)) >= 60
    assert re.fullmatch(r"[a-z2-9]+", ALPHABET)
    assert not set("01ol") & set(ALPHABET)
    drawn = [access_point.draw(LETTERS) for _ in range(500)]
    assert len(set(drawn)) == 500
    assert set("".join(drawn)) == set(ALPHABET)
    assert {len(passphrase) for passphrase in drawn} == {LETTERS}


def test_two_devices_have_two_networks(tmp_path: Path) -> None:
    networks = []
    for name in ("one", "other"):
        connections, card = tmp_path / name / "connections", tmp_path / name / "card"
        connections.mkdir(parents=True)
        card.mkdir()
        networks.append(made((connections, card)))
    assert networks[0].name != networks[1].name
    assert networks[0].passphrase != networks[1].passphrase
    assert re.fullmatch(rf"cuelens-[{ALPHABET}]{{4}}", networks[0].name)


def test_the_profile_is_an_access_point_that_does_not_come_up_by_itself(folders: tuple[Path, Path]) -> None:
    made(folders)
    profile = folders[0] / PROFILE
    assert stat.S_IMODE(profile.stat().st_mode) == 0o600
    keyfile = configparser.ConfigParser(interpolation=None)
    keyfile.read(profile)
    assert {section: dict(keyfile[section]) for section in ("ipv4", "ipv6")} == {
        "ipv4": {"method": "shared", "address1": "10.42.0.1/24"},
        "ipv6": {"method": "disabled"},
    }
    assert keyfile["connection"]["autoconnect"] == "false"
    assert keyfile["connection"]["interface-name"] == "wlan0"
    # Without one NetworkManager may pick channel 13, which is forbidden in some countries.
    assert (keyfile["wifi"]["mode"], keyfile["wifi"]["band"], keyfile["wifi"]["channel"]) == ("ap", "bg", "1")
    security = keyfile["wifi-security"]
    # 1 is "disable", see the decision.
    assert (security["key-mgmt"], security["proto"], security["pmf"]) == ("wpa-psk", "rsn", "1")


def test_network_manager_accepts_the_profile(folders: tuple[Path, Path]) -> None:
    if shutil.which("nmcli") is None:
        pytest.skip("nmcli is not installed")
    network = made(folders)
    done = subprocess.run(
        ["nmcli", "--offline", "connection", "modify", "connection.autoconnect-priority", "0"],
        input=(folders[0] / PROFILE).read_text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"ssid={network.name}" in done.stdout
    assert f"psk={network.passphrase}" in done.stdout
    assert "address1=10.42.0.1/24" in done.stdout


def test_text_and_codes_say_what_the_profile_says(folders: tuple[Path, Path]) -> None:
    network = made(folders)
    text = (folders[1] / "cuelens-wifi.txt").read_text()
    assert re.search(rf"^ +network +{network.name}$", text, re.MULTILINE)
    assert re.search(rf"^ +passphrase +{network.passphrase}$", text, re.MULTILINE)
    assert decoded(folders[1] / "cuelens-wifi.png") == f"WIFI:T:WPA;S:{network.name};P:{network.passphrase};;"
    page = decoded(folders[1] / "cuelens-page.png")
    assert page == "http://10.42.0.1"
    assert page in text


def test_nothing_is_written_twice(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    network = made(folders)
    before = contents(folders)
    said = capsys.readouterr().out
    assert len(before) == len(said.splitlines()) == 4
    # It goes to the journal.
    assert network.passphrase not in said
    made(folders)
    assert contents(folders) == before
    assert capsys.readouterr().out == ""


def test_a_profile_of_a_person_stays_and_its_card_follows(folders: tuple[Path, Path]) -> None:
    made(folders)
    profile = folders[0] / PROFILE
    changed = re.sub(r"(?m)^psk=.*$", "psk=a longer; sentence", profile.read_text())
    profile.write_text(changed)
    made(folders)
    assert profile.read_text() == changed
    assert "a longer; sentence" in (folders[1] / "cuelens-wifi.txt").read_text()
    assert decoded(folders[1] / "cuelens-wifi.png").endswith(r"P:a longer\; sentence;;")


@pytest.mark.parametrize("lost", ["cuelens-wifi.txt", "cuelens-wifi.png", "cuelens-page.png"])
def test_a_power_cut_in_between_is_made_good(folders: tuple[Path, Path], lost: str) -> None:
    made(folders)
    before = contents(folders)
    (folders[1] / lost).unlink()
    made(folders)
    assert contents(folders) == before


@pytest.mark.parametrize(
    "text",
    [
        *("", "[wifi]\nssid=x\n", "no keyfile", "[wifi]\nssid=x\n[wifi-security]\nkey-mgmt=sae"),
        # Either took minutes, or all memory.
        f"[wifi]\nssid{' ' * 90_000}x",
        "#" * 200_000,
    ],
)
def test_a_profile_without_a_passphrase_is_refused_and_stays(folders: tuple[Path, Path], text: str) -> None:
    (folders[0] / PROFILE).write_text(text)
    with pytest.raises(BadInput, match="remove it"):
        access_point.access_point(*folders)
    assert contents(folders) == {PROFILE: text.encode()}


@pytest.mark.parametrize(
    ("name", "passphrase", "taken"),
    [
        ("n" * 32, "p" * 8, True),
        (";" * 32, ";" * 63, True),
        ("é" * 16, "0aF9" * 16, True),
        (";" * 900, "p" * 8, False),
        ("é" * 17, "p" * 8, False),
        ("", "p" * 8, False),
        ("name", ";" * 900, False),
        ("name", "p" * 64, False),
        ("name", "é" * 8, False),
        ("name", "p" * 7, False),
        ("name", "", False),
    ],
)
def test_a_network_that_no_phone_could_join_is_refused(
    folders: tuple[Path, Path], name: str, passphrase: str, taken: bool
) -> None:
    (folders[0] / PROFILE).write_text(f"[wifi]\nssid={name}\n[wifi-security]\npsk={passphrase}\n")
    if taken:
        assert made(folders) == access_point.Network(name, passphrase)
        return
    with pytest.raises(BadInput, match="needs an ssid of 1 to 32 bytes, and a psk of 8 to 63 characters or 64 hexa"):
        access_point.access_point(*folders)
    assert list(folders[1].iterdir()) == []


@pytest.mark.parametrize("missing", [0, 1])
def test_without_a_folder_nothing_is_written(folders: tuple[Path, Path], missing: int) -> None:
    folders[missing].rmdir()
    with pytest.raises(BadInput, match="is no folder"):
        access_point.access_point(*folders)
    assert list(folders[1 - missing].iterdir()) == []


def test_the_unit_waits_for_exactly_what_the_command_writes(folders: tuple[Path, Path]) -> None:
    made(folders)
    written = {str(CONNECTIONS / PROFILE)} | {str(CARD / path.name) for path in folders[1].iterdir()}
    text = (UNITS / "cuelens-access-point-setup.service").read_text()
    assert set(re.findall(r"^ConditionPathExists=\|!(.*)$", text, re.MULTILINE)) == written
    (writable,) = re.findall(r"^ReadWritePaths=(.*)$", text, re.MULTILINE)
    assert set(writable.split()) == {str(CONNECTIONS), str(CARD)}


def test_the_command_says_in_a_sentence_what_is_wrong(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cuelens", "access-point", "--connections", str(tmp_path / "none"), "--card", "."],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "none is no folder" in done.stderr


def test_the_name_server_of_the_network_knows_one_address() -> None:
    lines = (UNITS / "cuelens.dnsmasq.conf").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [f"address=/#/{access_point.ADDRESS}", "local=/#/"]
