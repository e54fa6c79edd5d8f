"""The pairing as a table of tries: no clock, no chance."""

from collections.abc import Iterator
from itertools import count

import pytest

from cuelens.page.pairing import CLOSED_S, DIGITS, LENGTH, Closed, Paired, Pairing, Wrong, draw_code, draw_token


def pairing() -> Pairing:
    codes: Iterator[int] = count(1)
    tokens: Iterator[int] = count(1)
    return Pairing(lambda: str(next(codes)) * LENGTH, lambda: f"token {next(tokens)}")


WRONG = "654321"


@pytest.mark.parametrize(
    ("tries", "expected"),
    [
        ([(0, "111111")], Paired("token 1")),
        ([(0, WRONG)], Wrong(4)),
        ([(0, "")], Wrong(4)),
        ([(0, "११११११")], Wrong(4)),
        ([(0, WRONG)] * 4 + [(0, "111111")], Paired("token 1")),
        ([(0, WRONG)] * 5, Closed(CLOSED_S)),
        # The code of before is worth nothing after a lockout, nor is any while it lasts.
        ([(0, WRONG)] * 5 + [(59, "222222")], Closed(1.0)),
        ([(0, WRONG)] * 5 + [(60, "111111")], Wrong(4)),
        ([(0, WRONG)] * 5 + [(60, "222222")], Paired("token 1")),
        # Each further time lasts twice as long.
        ([(0, WRONG)] * 5 + [(60, WRONG)] * 5, Closed(2 * CLOSED_S)),
        ([(0, WRONG)] * 5 + [(60, WRONG)] * 5 + [(180, WRONG)] * 5, Closed(4 * CLOSED_S)),
        # A code is used up.
        ([(0, "111111"), (1, "111111")], Wrong(4)),
        ([(0, "111111"), (1, "222222")], Paired("token 2")),
    ],
)
def test_tries(tries: list[tuple[float, str]], expected: object) -> None:
    one = pairing()
    for now_s, code in tries:
        outcome = one.attempt(code, now_s)
    assert outcome == expected


def test_one_phone_at_a_time() -> None:
    one = pairing()
    assert not one.knows("")
    one.attempt("111111", 0)
    assert one.knows("token 1")
    one.attempt("222222", 1)
    assert not one.knows("token 1")
    assert one.knows("token 2")
    one.forget()
    assert not one.knows("token 2")
    assert not one.knows("")


def test_the_code_is_told_once_in_thirty_seconds() -> None:
    one = pairing()
    assert [one.may_tell(now_s) for now_s in (0, 1, 29.9, 30, 31)] == [True, False, False, True, False]
    for _ in range(5):
        one.attempt(WRONG, 40)
    assert not one.may_tell(50)
    assert one.may_tell(100)


def test_codes_and_tokens_are_drawn() -> None:
    codes = {draw_code() for _ in range(200)}
    assert all(len(code) == LENGTH and set(code) <= set(DIGITS) for code in codes)
    assert len(codes) > 190
    assert len(draw_token()) >= 43
    assert draw_token() != draw_token()
