"""The glyphs of the blackboard in plain spelling: `Ω₁` is `Omega_1`, `²` is 2, `⊙` is `.*`."""

from typing import cast

from symbp.spec.syntax import Operator

_ALPHABET = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu "
    "nu xi omicron pi rho sigma tau upsilon phi chi psi omega"
)
LETTERS = _ALPHABET.split()
_GREEK = (
    dict(zip("αβγδεζηθικλμνξοπρστυφχψω", LETTERS, strict=True))
    | dict(zip("ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ", map(str.capitalize, LETTERS), strict=True))
    | {"ϵ": "epsilon", "ϑ": "theta", "ϰ": "kappa", "µ": "mu", "ϖ": "pi", "ϱ": "rho"}
    | {"ς": "sigma", "ϕ": "phi", "∆": "Delta", "\N{OHM SIGN}": "Omega"}
)
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_OPERATORS = {"−": "-", "·": "*", "⋅": "*", "⊙": ".*", "∘": ".*", "**": "^"}


def plain_name(written: str) -> str:
    """Return the ASCII spelling of a name; two spellings of one name become equal."""
    plain = ""
    for before, character in zip(" " + written, written, strict=False):
        if character in _SUBSCRIPTS:
            joint = "" if before in _SUBSCRIPTS or before == "_" else "_"
            plain += joint + _SUBSCRIPTS[character]
        else:
            plain += _GREEK.get(character, character)
    return plain


def plain_operator(written: str) -> Operator:
    """Return the one spelling of an operator that the syntax tree uses."""
    return cast(Operator, _OPERATORS.get(written, str(written)))


def plain_superscript(written: str) -> str:
    """Return the digits, with a minus where there is one, of an exponent set as superscript."""
    return str(written).translate(_SUPERSCRIPTS)
