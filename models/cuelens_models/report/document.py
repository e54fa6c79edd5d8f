"""What every page has: no date, no place, nothing loaded from elsewhere."""

from collections.abc import Iterable
from html import escape
from importlib import resources

from cuelens_models.version import __version__


def document(title: str, under: Iterable[str], parts: Iterable[str]) -> str:
    """Return a whole HTML page. title: plain text. under: paragraphs below it, and parts: sections, both HTML."""
    style = resources.files(__package__).joinpath("page.css").read_text("utf-8")
    name = escape(title)
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{name}</title>\n<style>\n{style}</style>\n</head>\n<body>",
            f"<header><h1>{name}</h1>",
            "\n".join(f"<p>{line}</p>" for line in under) + "</header>\n<main>",
            *parts,
            f'</main>\n<footer><p class="hint">cuelens {__version__}</p></footer>\n</body>\n</html>\n',
        ]
    )


def section(heading: str, hint: str, content: str) -> str:
    """Return a part of the page under its heading, with a line that says how to read it."""
    told = f'<p class="hint">{hint}</p>' if hint else ""
    return f"<section><h2>{heading}</h2>{told}{content}</section>"


def headlines(boxes: Iterable[tuple[str, str, str]]) -> str:
    """Return figures in large print: of each its name, its value, and what it means."""
    inner = "".join(
        f"<div><b>{name}</b><strong>{value}</strong><small>{why}</small></div>" for name, value, why in boxes
    )
    return f'<section class="headlines">{inner}</section>'
