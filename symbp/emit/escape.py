"""Sentences and titles in each format: signs of mathematics are kept, nothing can be a command."""

import re
import unicodedata
from collections.abc import Callable, Mapping

from symbp.emit.names import GREEK, MACROS, SMALL
from symbp.errors import printable

_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"$\mathdollar$",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\char96{}",
    "-": "{-}",
}
_LETTERS = {
    "ß": r"\ss{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "§": r"\S{}",
}
_SIGNS = {
    "ᵀ": r"^{\top}",
    "⁻": r"^{-}",
    "⊙": r"\odot",
    "⊗": r"\otimes",
    "·": r"\cdot",
    "×": r"\times",
    "→": r"\to",
    "↦": r"\mapsto",
    "−": "-",
    "±": r"\pm",
    "√": r"\surd",
    "‖": r"\|",
    "∈": r"\in",
    "ℝ": r"\mathbb{R}",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "≈": r"\approx",
    "∞": r"\infty",
    "⟨": r"\langle",
    "⟩": r"\rangle",
    "∑": r"\sum",
    "𝟏": r"\mathbf{1}",
    "✓": r"\checkmark",
    "✗": r"\times",
    **{chr(glyph): f"_{{{chr(sign)}}}".replace("−", "-") for sign, glyph in SMALL.items()},
    **{glyph: f"^{{{digit}}}" for digit, glyph in zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)},
    **{glyph: rf"\mathrm{{{name[0]}}}" for name, glyph in GREEK.items() if glyph not in MACROS},
    **MACROS,
}
_ACCENTS = {
    "\u0300": r"\`",
    "\u0301": r"\'",
    "\u0302": r"\^",
    "\u0303": r"\~",
    "\u0304": r"\=",
    "\u0306": r"\u",
    "\u0307": r"\.",
    "\u0308": r"\"",
    "\u030a": r"\r",
    "\u030b": r"\H",
    "\u030c": r"\v",
    "\u0327": r"\c",
}
_INDEX = re.compile(r"(?<=\w)_(?:\{([A-Za-z0-9+−,]+)\}|([A-Z])(?!\w))")
"""The index of a name in a sentence where it has no small signs: h_{K−1}, D_K."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>&$~-])")


def one_line(text: str) -> str:
    """Return a text on one line, with nothing in it that a terminal would act upon."""
    return printable(" ".join(text.split()))


def latex_text(text: str) -> str:
    """Return a sentence for LaTeX's text mode; what no font holds is named by its code."""
    made, start, line = "", 0, one_line(text)
    for index in _INDEX.finditer(line):
        below = (index[1] or index[2]).replace("−", "-")
        made += "".join(map(_latex, line[start : index.start()])) + f"$_{{{below}}}$"
        start = index.end()
    return made + "".join(map(_latex, line[start:]))


def latex_lines(lines: list[str]) -> str:
    r"""Return lines of fixed width for LaTeX, to stand in `\ttfamily`."""
    kept = ["".join("~" if c == " " else _latex(c) for c in printable(line)) for line in lines]
    return "\\\\\n".join(kept)


def _latex(character: str) -> str:
    for table in (_COMMANDS, _LETTERS):
        if character in table:
            return table[character]
    if character in _SIGNS:
        return f"${_SIGNS[character]}$"
    if " " <= character <= "~":
        return character
    base, marks = (decomposed := unicodedata.normalize("NFKD", character))[0], decomposed[1:]
    if marks in _ACCENTS and base.isascii() and base.isalpha():
        return f"{_ACCENTS[marks]}{{{base}}}"
    return f"[U+{ord(character):04X}]"


def markdown_text(text: str) -> str:
    """Return a sentence for Markdown, where no sign of it is read as markup."""
    return _MARKDOWN.sub(r"\\\1", one_line(text)).replace("\\-", "-")


ESCAPES: Mapping[str, Callable[[str], str]] = {
    "unicode": one_line,
    "latex": latex_text,
    "markdown": markdown_text,
}
