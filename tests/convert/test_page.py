from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

for name in ("keras", "tensorflow", "rich", "matplotlib", "jinja2"):
    pytest.importorskip(name, reason="the page of a conversion needs the extra convert")

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning"),
]


class Tags(HTMLParser):
    """Gathers the names of the elements."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)


def test_names_are_text_and_never_html(
    convert_model: Callable[..., Any],
    bands: Callable[..., Any],
    saved: Callable[..., Path],
    synthetic_npz: Path,
    tmp_path: Path,
) -> None:
    hostile = "<script>alert('it')"
    model = saved(bands(), f"{hostile}.keras", recipe=hostile, data=hostile)
    page = tmp_path / "page"
    ended = convert_model(model, "--data", synthetic_npz, "-o", tmp_path / "x.tflite", "--report", page)
    assert (ended.status, ended.err) == (0, "")
    text = (page / "index.html").read_text()
    tags = Tags()
    tags.feed(text)
    assert "script" not in tags.names
    assert text.count("&lt;script&gt;alert(") >= 3
