"""Who may use the page: a code that the glasses blink, and the cookie of the phone that knew it. No clock inside."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

DIGITS: Final = "123456"
"""A digit is told by as many blinks as it says, so there is no 0 and no long one."""
LENGTH: Final = 6
WRONG_CODES: Final = 5
"""So many in a row close the pairing."""
CLOSED_S: Final = 60.0
"""For so long at first, and for twice as long each further time."""
LONGEST_CLOSED_S: Final = 3600.0
TELL_AGAIN_S: Final = 30.0
"""Shortest time between two tellings of the code, in seconds: to tell one takes 20 s."""
_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Paired:
    """The code was right. token: for the cookie of this phone; earlier ones are worth nothing from now on."""

    token: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """The code was wrong. left: how many more may be tried before the pairing closes."""

    left: int


@dataclass(frozen=True, slots=True)
class Closed:
    """No code is taken. rest_s: for so many seconds."""

    rest_s: float


def draw_code() -> str:
    """Return a code of six digits from 1 to 6."""
    return "".join(secrets.choice(DIGITS) for _ in range(LENGTH))


def draw_token() -> str:
    """Return 256 random bits, as text."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


class Pairing:
    """The code in force, wrong tries, and the token of the paired phone. Times in seconds, of any steady clock."""

    def __init__(self, draw_code: Callable[[], str] = draw_code, draw_token: Callable[[], str] = draw_token) -> None:
        """Begin with a new code and nobody paired."""
        self._draw_code = draw_code
        self._draw_token = draw_token
        self._token = ""
        self._wrong = 0
        self._lockouts = 0
        self._open_at_s = float("-inf")
        self._told_s = float("-inf")
        self.code = draw_code()

    def attempt(self, code: str, now_s: float) -> Paired | Wrong | Closed:
        """Try a code. The right one pairs and is used up."""
        if now_s < self._open_at_s:
            return Closed(self._open_at_s - now_s)
        if hmac.compare_digest(code.encode(), self.code.encode()):
            self._wrong = self._lockouts = 0
            self._token = self._draw_token()
            self._renew()
            return Paired(self._token)
        self._wrong += 1
        if self._wrong < WRONG_CODES:
            return Wrong(WRONG_CODES - self._wrong)
        rest_s = min(CLOSED_S * 2**self._lockouts, LONGEST_CLOSED_S)
        self._open_at_s = now_s + rest_s
        self._wrong = 0
        self._lockouts += 1
        self._renew()
        return Closed(rest_s)

    def closed_s(self, now_s: float) -> float:
        """Return for how many more seconds no code is taken."""
        return max(0.0, self._open_at_s - now_s)

    def knows(self, token: str) -> bool:
        """Tell whether a token is that of the paired phone."""
        return bool(self._token) and hmac.compare_digest(token.encode(), self._token.encode())

    def forget(self) -> None:
        """Pair nobody."""
        self._token = ""

    def may_tell(self, now_s: float) -> bool:
        """Tell whether the code may be told now, and count it as told if so."""
        if now_s < self._open_at_s or now_s - self._told_s < TELL_AGAIN_S:
            return False
        self._told_s = now_s
        return True

    def _renew(self) -> None:
        self.code = self._draw_code()
        self._told_s = float("-inf")
