from pathlib import Path

import pytest

pytest.importorskip("keras", reason="networks need the extra train")

from cuelens_models.errors import BadInput
from cuelens_models.zoo import five_class


def test_a_wheel_has_nothing_to_begin_from_and_says_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(five_class, "SHIPPED", tmp_path / "cuelens.tflite")
    (transfer, *_) = five_class.RECIPES
    with pytest.raises(BadInput, match=r"cuelens\.keras, is in a checkout only: run `pip install -e "):
        transfer.build(5)
