r"""How names are written: `Omega_2` is Ω₂ on the page, `\bm{\Omega}_{2}` in LaTeX.

Names belong to the user.  Whatever stands in one comes out as the letters of a name: nothing in
it can open a group, end a formula or pass for an operator.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from symbp.ir import Dim, Variable

# fmt: off
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "omicron": "ο", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}
_LATIN = {
    "Alpha", "Beta", "Epsilon", "Zeta", "Eta", "Iota", "Kappa", "Mu", "Nu", "Omicron", "Rho",
    "Tau", "Chi", "omicron",
}
# fmt: on
GREEK |= {name.capitalize(): glyph.upper() for name, glyph in GREEK.items()}

MACROS = {glyph: "\\" + name for name, glyph in GREEK.items() if name not in _LATIN} | {
    "ε": r"\varepsilon",
    "ℓ": r"\ell",
    "∂": r"\partial",
    "∇": r"\nabla",
}

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SMALL = str.maketrans("0123456789+−aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_SMALL_TERM = r"(\d+|\d*[aehijklmnoprstuvx])"
_SMALL_PLACE = re.compile(rf"{_SMALL_TERM}([+−]{_SMALL_TERM})*")
_PLAIN_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_NUMBERED = re.compile(r"([^\W\d_]+)_?(\d+)")
ENTRY = re.compile(r"([^\W\d]\w*)\[([\w,+*/()-]+)\]")
"""The name of an entry that is differentiated by, `X[0,1]`: the array and the places."""
_DOT_ABOVE, _DOT = "\N{COMBINING DOT ABOVE}", "\N{DOT ABOVE}"


@dataclass(frozen=True)
class Names:
    """What a printer has to know about names.

    result: the line that is differentiated, the ℓ in ∂ℓ/∂W where it is called `loss`.
    own: names that the user chose and that end in `_bar`, so that no adjoint is meant.
    place: where the line that is differentiated stands in a family, the K of f_K.
    """

    result: str = "loss"
    own: frozenset[str] = frozenset()
    place: tuple[Dim, ...] = ()

    def adjoint_of(self, tangent: Variable) -> str | None:
        """Return the name v where the variable is the tangent of ∂ℓ/∂v."""
        name = tangent.of
        if tangent.role != "tangent" or not name.endswith("_bar") or name in self.own:
            return None
        return name.removesuffix("_bar") or None


MATH = Names()


def halves(name: str) -> tuple[str, tuple[str, ...]]:
    """Return a name's base and its subscripts: `f1` is f with 1, `W_in_2` W with in and 2."""
    spelled = re.sub(r"_?([₀-₉]+)", lambda found: "_" + found[1].translate(_PLAIN_SUBSCRIPTS), name)
    base, *rest = spelled.split("_")
    if not base or not all(rest):
        return name, ()
    numbered = _NUMBERED.fullmatch(base)
    return (numbered[1], (numbered[2], *rest)) if numbered else (base, tuple(rest))


def unicode_name(name: str, places: Sequence[str] = ()) -> str:
    """Return a name as mathematics: Greek letters by glyph, a number as a subscript.

    places: where it stands in families, `k−1`; they follow the subscripts of its own.
    """
    base, marks = halves(name)
    return _marked(base, marks, places)


def below(places: Sequence[str]) -> str:
    """Return indices as they stand below a letter: ₖ₋₁, and _K, _{K−1}, _{l,t}.

    Small signs are taken where there is one for each, so that no index is half small.
    """
    text = ",".join(places)
    if _SMALL_PLACE.fullmatch(text):
        return text.translate(SMALL)
    return f"_{text}" if len(text) == 1 else f"_{{{text}}}"


def _accented(base: str, marks: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the accent that a name's marks ask for, `hat` or `tilde`, and the other marks."""
    letter = GREEK.get(base, base)
    found = next((mark for mark in marks if mark in _HATS), "")
    if not found or len(letter) != 1 or not letter.isalpha():
        return "", marks
    return found, tuple(mark for mark in marks if mark != found)


_HATS = {"hat": "\N{COMBINING CIRCUMFLEX ACCENT}", "tilde": "\N{COMBINING TILDE}"}


def _marked(base: str, marks: tuple[str, ...], places: Sequence[str]) -> str:
    accent, marks = _accented(base, marks)
    numbered = bool(marks) and re.fullmatch("[0-9]+", marks[0]) is not None
    number = marks[0] if numbered else ""
    letter = unicodedata.normalize("NFC", GREEK.get(base, shown(base)) + _HATS.get(accent, ""))
    words = [GREEK.get(mark, shown(mark)) for mark in marks]
    if places:
        return letter + below([*words, *places])
    head = letter + shown(number).translate(SUBSCRIPTS)
    return "_".join([head, *words[numbered:]])


def dotted_name(name: str, places: Sequence[str] = ()) -> str:
    """Return the tangent of a name: ḟ₁, or `hidden˙` where there is no single letter to dot."""
    base, _ = halves(name)
    letter, whole = GREEK.get(base, base), unicode_name(name, places)
    if len(letter) != 1 or not letter.isalpha():
        return whole + _DOT
    return unicodedata.normalize("NFC", whole[0] + _DOT_ABOVE) + whole[1:]


def shown(name: str) -> str:
    """Return a name with everything escaped that is no letter, digit or underscore: `<U+0022>`."""
    return "".join(map(_shown, name))


def _shown(character: str) -> str:
    fits = character == "_" or character.isalnum() or character in "ℓ∂∇"
    return character if fits else f"<U+{ord(character):04X}>"


def latex_name(name: str, bold: bool, dotted: bool = False, places: Sequence[str] = ()) -> str:
    """Return a name in LaTeX: a single letter slanted, more upright, arrays bold."""
    base, marks = halves(name)
    accent, marks = _accented(base, marks)
    head = _latex_word(base)
    head = rf"\{accent}{{{head}}}" if accent else head
    head = rf"\bm{{{head}}}" if bold else head
    head = rf"\dot{{{head}}}" if dotted else head
    indices = [*map(_latex_word, marks), *places]
    return head + (f"_{{{','.join(indices)}}}" if indices else "")


def _latex_word(word: str) -> str:
    letter = GREEK.get(word, word)
    if letter.isascii() and letter.isdecimal():
        return letter
    if len(letter) == 1 and (letter in MACROS or (letter.isascii() and letter.isalpha())):
        return MACROS.get(letter, letter)
    return rf"\mathrm{{{''.join(map(latex_letter, word))}}}"


def latex_letter(character: str) -> str:
    r"""Return one character of a name, fit for the inside of `\mathrm`."""
    if character.isascii() and character.isalnum():
        return character
    if character == "_":
        return r"\_"
    if character in MACROS:
        return MACROS[character] + " "
    base = unicodedata.normalize("NFKD", character)[0]
    if character.isalpha() and base.isascii() and base.isalpha():
        marks = unicodedata.normalize("NFKD", character)[1:]
        if len(marks) == 1 and marks in _ACCENTS:
            return rf"{_ACCENTS[marks]}{{{base}}}"
    return rf"\langle \text{{U+{ord(character):04X}}}\rangle "


_ACCENTS = {
    "\u0300": r"\grave",
    "\u0301": r"\acute",
    "\u0302": r"\hat",
    "\u0303": r"\tilde",
    "\u0304": r"\bar",
    "\u0306": r"\breve",
    "\u0307": r"\dot",
    "\u0308": r"\ddot",
    "\u030c": r"\check",
}
