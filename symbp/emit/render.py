"""Templates: found once, and strict about what they are given."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "templates", _PACKAGE.parent / "templates")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader([place for place in _PLACES if place.is_dir()]),
        undefined=StrictUndefined,
        autoescape=False,  # what goes in is escaped for its own format: Python, LaTeX, Markdown
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def template(name: str) -> Template:
    """Return a template by its path below `templates/`, installed or in a checkout."""
    return _environment().get_template(name)
