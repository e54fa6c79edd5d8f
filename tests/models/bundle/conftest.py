"""Bundles written past every check of `pack`, for what the loader must refuse."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cuelens_models.bundle.file import SHIPPED, Bundle

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def remade(shipped: Bundle, tmp_path: Path) -> Callable[..., Path]:
    """Writes the shipped bundle again with its contract changed, or with other zip entries."""

    def make(change: Change | None = None, entries: dict[str, bytes | None] | None = None) -> Path:
        with zipfile.ZipFile(SHIPPED) as archive:
            held: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
        if change:
            contract = json.loads(held["contract.json"] or b"")
            change(contract)
            held["contract.json"] = json.dumps(contract).encode()
            held["labels.txt"] = "".join(f"{label}\n" for label in contract.get("labels", [])).encode()
        held |= entries or {}
        target = io.BytesIO()
        target.write(shipped.model)
        with zipfile.ZipFile(target, "a") as archive:
            for name, content in held.items():
                if content is not None:
                    archive.writestr(name, content)
        path = tmp_path / "remade.tflite"
        path.write_bytes(target.getvalue())
        return path

    return make
