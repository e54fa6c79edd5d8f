"""Templates become pages here. Every value is escaped, and a name that was not passed raises an error."""

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from cuelens_models.evaluate.metrics import Interval
from cuelens_models.version import __version__


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a whole HTML page. template: a file in templates/. values: what it shows, by name."""
    return _TEMPLATES.get_template(template).render(values)


def _figure(value: float | None, spec: str) -> str:
    """Return a number in a format specification; a dash for None."""
    return "\N{EN DASH}" if value is None else format(value, spec)


def _span(interval: Interval, spec: str) -> str:
    return f"{interval[0]:{spec}} to {interval[1]:{spec}}"


_TEMPLATES: Final = Environment(
    loader=PackageLoader(__package__ or "", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters |= {"figure": _figure, "span": _span}
_TEMPLATES.globals["version"] = __version__
