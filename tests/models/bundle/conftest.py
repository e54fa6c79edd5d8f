"""Bundles written without the checks of `pack`, for the cases that the loader must refuse."""

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
def rewrite(shipped: Bundle, tmp_path: Path) -> Callable[..., Path]:
    """Write the shipped bundle again with its contract changed, or with other zip entries."""

    def make(change: Change | None = None, entries: dict[str, bytes | None] | None = None) -> Path:
        with zipfile.ZipFile(SHIPPED) as archive:
            content: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
        if change:
            contract = json.loads(content["contract.json"] or b"")
            change(contract)
            content["contract.json"] = json.dumps(contract).encode()
            content["labels.txt"] = "".join(f"{label}\n" for label in contract.get("labels", [])).encode()
        content |= entries or {}
        target = io.BytesIO()
        target.write(shipped.model)
        with zipfile.ZipFile(target, "a") as archive:
            for name, data in content.items():
                if data is not None:
                    archive.writestr(name, data)
        path = tmp_path / "rewritten.tflite"
        path.write_bytes(target.getvalue())
        return path

    return make
