"""`cuelens access-point`: the network of the caregiver's page, its passphrase, and the card that tells them.

The profile is NetworkManager's, and the only place of the passphrase that counts. What lies on the memory card's FAT
partition, which every computer can read, is made from it.
"""

import configparser
import io
import os
import re
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cuelens_models import regular_file
from cuelens_models.atomic_file import write_whole
from cuelens_models.command import require
from cuelens_models.errors import BadInput

CONNECTIONS: Final = Path("/etc/NetworkManager/system-connections")
CARD: Final = Path("/boot/firmware")
ADDRESS: Final = "10.42.0.1"
ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""Easily typed and told apart: no capitals, and neither 0 and o nor 1 and l. Each says five bits."""
LETTERS: Final = 12
"""Of a passphrase: 60 bits."""
_NAME_LETTERS: Final = 4
_MOST_BYTES: Final = 100_000
_PASSPHRASE: Final = re.compile(r"[ -~]{8,63}|[0-9a-fA-F]{64}")
"""Of WPA (IEEE 802.11i, annex H.4.1), or the key itself in hexadecimal."""
_LONGEST_NAME: Final = 32
"""Of a network, in bytes (IEEE 802.11, 9.4.2.2)."""
_LONGEST_LINE: Final = 1000
"""Of a profile. `configparser` takes the square of a line's spaces."""
_PIXELS: Final = 8
"""Of a QR code's smallest square."""

# pmf=1 is "disable": see docs/decisions/0013-access-point.md.
_PROFILE: Final = """\
[connection]
id=cuelens
uuid={uuid}
type=wifi
interface-name=wlan0
autoconnect=false

[wifi]
mode=ap
band=bg
channel=1
ssid={name}

[wifi-security]
key-mgmt=wpa-psk
proto=rsn
pairwise=ccmp
group=ccmp
pmf=1
psk={passphrase}

[ipv4]
method=shared
address1={address}/24

[ipv6]
method=disabled
"""
_TEXT: Final = """\
The network of these cuelens glasses, for the phone of a caregiver.

    network      {name}
    passphrase   {passphrase}
    page         http://cuelens.local or http://{address}

1. Press the button of the glasses twice, and hold it at the third press for three seconds.
2. Join the network with the phone: with the passphrase, or by the QR code in cuelens-wifi.png.
3. Open the page: type its address, or use the QR code in cuelens-page.png.

Whoever has this text can join the network of the glasses while the page is on.
"""


@dataclass(frozen=True, slots=True)
class Network:
    """What a phone needs to join."""

    name: str
    passphrase: str


def access_point(connections: Path, card: Path) -> int:
    """Make the profile, unless it is there, and see that the card tells what the profile says. Returns 0.

    A power cut at any instant leaves files that the next call completes.

    Args:
        connections: folder of NetworkManager's profiles.
        card: folder for what a caregiver reads.

    Raises MissingExtra without segno, BadInput for a folder that is missing and for a profile of another kind, and
    Unwritable.
    """
    _wifi_code(Network("", ""))
    for folder, owner in ((connections, "NetworkManager"), (card, "Raspberry Pi OS")):
        if not folder.is_dir():
            raise BadInput(f"{folder} is no folder: {owner} makes it; name another one if this is a trial")
    profile = connections / "cuelens.nmconnection"
    # NetworkManager passes over a profile that others may read.
    earlier = os.umask(0o077)
    try:
        if not os.path.lexists(profile):
            write_whole(profile, _new_profile().encode())
            print(f"{profile}: a new network")
        for path, content in _card(read(profile)).items():
            if _differs(card / path, content):
                write_whole(card / path, content)
                print(f"{card / path}: written")
    finally:
        os.umask(earlier)
    return 0


def draw(letters: int) -> str:
    """Return so many letters of the alphabet, by chance."""
    return "".join(secrets.choice(ALPHABET) for _ in range(letters))


def read(profile: Path) -> Network:
    """Return the network of a profile. Raises BadInput if it has none that a phone could join."""
    keyfile = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    if fault := regular_file.fault(profile, _MOST_BYTES):
        raise BadInput(f"{profile} {fault}: remove it, and a new network is made")
    try:
        text = profile.read_text("utf-8")
        if max(map(len, text.splitlines()), default=0) > _LONGEST_LINE:
            raise KeyError("ssid")
        keyfile.read_string(text, str(profile))
        network = Network(keyfile["wifi"]["ssid"], keyfile["wifi-security"]["psk"])
    except (configparser.Error, KeyError, UnicodeDecodeError) as error:
        raise BadInput(f"{profile} has no ssid and psk: remove it, and a new network is made") from error
    if not 0 < len(network.name.encode()) <= _LONGEST_NAME or not _PASSPHRASE.fullmatch(network.passphrase):
        limits = f"an ssid of 1 to {_LONGEST_NAME} bytes, and a psk of 8 to 63 characters or 64 hexadecimal digits"
        raise BadInput(f"{profile} needs {limits}: remove it, and a new network is made")
    return network


def _new_profile() -> str:
    name = f"cuelens-{draw(_NAME_LETTERS)}"
    return _PROFILE.format(uuid=uuid.uuid4(), name=name, passphrase=draw(LETTERS), address=ADDRESS)


def _card(network: Network) -> dict[str, bytes]:
    """Return what the card tells, by name of the file."""
    text = _TEXT.format(name=network.name, passphrase=network.passphrase, address=ADDRESS)
    return {
        "cuelens-wifi.txt": text.encode(),
        "cuelens-wifi.png": _picture(_wifi_code(network)),
        "cuelens-page.png": _picture(f"http://{ADDRESS}"),
    }


def _wifi_code(network: Network) -> str:
    """Return what the QR code of a network says. Raises MissingExtra without segno."""
    try:
        from segno import helpers
    except ImportError as error:
        raise require("segno", "web") from error
    return helpers.make_wifi_data(network.name, network.passphrase, "WPA")


def _picture(text: str) -> bytes:
    """Return a QR code as PNG."""
    import segno

    picture = io.BytesIO()
    segno.make(text, error="m", micro=False).save(picture, kind="png", scale=_PIXELS)
    return picture.getvalue()


def _differs(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() != content
    except FileNotFoundError:
        return True
