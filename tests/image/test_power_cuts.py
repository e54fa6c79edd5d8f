"""Power cuts: a board whose battery is pulled at any moment starts again, and has lost nothing."""

import os
import random
import time
from pathlib import Path

import pytest
from tests.image.emulator import Board

pytestmark = [pytest.mark.usefixtures("boots"), pytest.mark.xdist_group("one board")]


def test_power_cuts_at_random_moments_leave_a_board_that_starts(card: Path, guest: Path, tmp_path: Path) -> None:
    cuts = int(os.environ.get("CUELENS_POWER_CUTS", "5"))
    seed = int(os.environ.get("CUELENS_SEED", "1969"))
    moments = random.Random(seed)  # noqa: S311
    for number in range(cuts):
        with Board(card, tmp_path / str(number), tests=guest) as board:
            time.sleep(moments.uniform(4, 90))
            assert board.process.poll() is None, board.console()[-2000:]
    with Board(card, tmp_path / "after", tests=guest) as board:
        board.run("systemctl is-system-running --wait || true", 400)
        assert board.run("systemctl is-active cuelens").strip() == "active"
        assert board.run("systemctl --failed --no-legend --plain").strip() == ""
        assert "error" not in board.run("dmesg | grep EXT4-fs || true")
        assert len(board.run("ls /data/last").split()) == 2
    print(f"\npower cuts survived: {cuts} of {cuts} (seed {seed})")
