"""What a syntax error most likely meant: the parser's complaint in words, with advice."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from lark import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from symbp.errors import Span, SpecError, did_you_mean, printable
from symbp.spec.outline import position

FORMS = {
    "model": 'model NAME "title"',
    "size": "size n, m, D_i = 10, D[0..K]",
    "batch": "batch mean` or `batch sum",
    "input": "input x : n",
    "target": "target y : n",
    "param": "param W : m x n",
    "const": "const A : m x n",
    "op": "op swish(z) = z * sigmoid(z)",
    "for": "for k in 1..K:",
    "output": "output f",
    "loss": "loss = expression",
    "wrt": "wrt W, x",
}
LINES = "a line is `name = expression`, or starts with " + ", ".join(FORMS)
ASSIGNMENT = "a line is `name = expression`; the loss is `loss = expression`"
SHAPE = "a shape is `n` or `m x n`, of sizes, numbers or `D[k]`; no shape is a scalar"
OPERATORS = "write `@` for a matrix product, `*` with a scalar, `.*` elementwise"
KINDS = ("input", "target", "param", "const")
PROGRAM = {"if", "while", "def", "import", "from", "return", "print", "class", "else", "lambda"}
LOGIC = {"if", "else", "and", "or", "not", "is"}
RANGES = "write `for k in 1..K:`, `D[0..K]` or `sum(f[k] for k in 1..K)`; both ends are included"
EXPRESSION = "write one expression, such as `norm2(A @ x - b)^2`"
STRAY = {
    ";": "end the line instead; every line holds one statement",
    "“”„«»": 'write the straight quote "',
    "‘’′`´": "write the straight quote ' for a transpose",
    '"': "quotes stand around the title of a `model` line alone, in one line",
    "{}": "group with `(` and `)`, index with `[` and `]`",
    "\\": "a line goes on as long as a bracket is open: put it in ( )",
    "\u00a0\u2009\u200b\u202f\u3000\ufeff": "write an ordinary space",
    "|": "write `abs(z)`, `norm2(A)` or `‖A‖`",
    "×": OPERATORS,
    "÷": "write `/` by a scalar, `./` elementwise",
    "√": "write `sqrt(z)`",
    "∑": "write `sum(z)` or `sum(f[k] for k in 1..K)`",
    "∂∇": "gradients are derived; write the forward pass alone",
    "<>≤≥!≠≈": "there are no comparisons; write `relu(z)`, `heaviside(z)`, `max(a, b)`",
    "%": "a comment starts with `#`",
    "?$&~": "remove it",
}
_SIGNS = "−⊙∘·⋅⊤‖⁻"
_GREEK = re.compile("[Α-ΡΣ-Ωα-ω]")
NAMES = "names are made of Latin and Greek letters, digits and `_`"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the parser stopped: the line up to there, what it found, what could have followed."""

    before: str
    found: str  # empty at the end of a line
    after: str
    expected: frozenset[str]
    span: Span
    alone: bool  # an expression alone, not a whole spec

    @property
    def advice(self) -> str:
        """How the line should look, as far as its first word tells."""
        if self.alone:
            return EXPRESSION
        return f"write `{FORMS[self.first]}`" if self.first in FORMS else ASSIGNMENT

    @property
    def first(self) -> str:
        """The word that starts the line."""
        word = re.match(r"\s*(\w*)", self.before + self.found)
        return word[1] if word else ""

    @property
    def previous(self) -> str:
        """The word or sign before the place."""
        piece = re.search(r"([0-9]*\.[0-9]+|\w+|\.[*/^T]|\*\*|[^\w\s])\s*$", self.before)
        return piece[1] if piece else ""

    @property
    def wants_value(self) -> bool:
        """Whether a name, a number or a bracket could have followed."""
        return {"NAME", "NUMBER", "LPAR"} <= self.expected

    @property
    def wants_operator(self) -> bool:
        """Whether a value had just ended."""
        return "PLUS" in self.expected

    @property
    def starts_value(self) -> bool:
        """Whether what was found begins a value."""
        return bool(re.match(r"[\w(.‖]", self.found)) and self.found != ".."


def explained(error: UnexpectedInput, source: str, start: str) -> SpecError:
    """Return the error for the place where the parser stopped.

    `start` is what was to be read, `spec` or `expression`.
    """
    place = _place(error, source, start == "expression")
    for rule in _RULES:
        if recognised := rule(place):
            return recognised
    missing = "an expression is one line" if place.alone else "this line is not complete"
    what = f"`{_short(place.found)}` cannot stand here" if place.found else missing
    return SpecError(what, place.span, place.advice)


def _place(error: UnexpectedInput, source: str, alone: bool) -> _Place:
    """Return the place of a parser's error; the end of a line points at what stands before it."""
    offset, found, expected = len(source), "", set[str]()
    if isinstance(error, UnexpectedCharacters):
        offset, found = error.pos_in_stream or 0, error.char
        expected = set(error.allowed or ())
    elif isinstance(error, UnexpectedToken):
        token = error.token
        expected = set(error.accepts or error.expected)
        if token.type != "$END" and token.start_pos is not None:
            offset = token.start_pos
            found = "" if token.type.startswith("_") else str(token)
    offset = min(offset, len(source))
    start = source.rfind("\n", 0, offset) + 1
    before = source[start:offset]
    after = source[offset + len(found) :].split("\n", 1)[0]
    if found:
        span = position(source, offset, len(found))
    else:
        before = before.split("#")[0].rstrip()
        span = position(source, start + max(len(before) - 1, 0))
    return _Place(before, found, after, frozenset(expected), span, alone)


# One mistake a rule: the error where the place shows it, None where it does not.


def _stray(place: _Place) -> SpecError | None:
    """Recognise a character that has no meaning here."""
    character = place.found[:1]
    if not character or (re.match(r"[\w.]", character) and character.isascii()):
        return None
    for characters, help in STRAY.items():
        if character in characters:
            return _error(f"{_quoted(character)} has no meaning here", place, help)
    plain = character.isprintable() and (character.isascii() or character.isalnum())
    if not plain and character not in _SIGNS:
        return _error(f"{_quoted(character)} has no meaning here", place, "remove the character")
    if character.isalnum() and len(place.found) == 1 and not _GREEK.match(character):
        return _error(f"{_quoted(character)} cannot stand in a name", place, NAMES)
    return None


def _equals(place: _Place) -> SpecError | None:
    """Recognise `==`, `:=`, `+=`, and a declaration that is given a value."""
    pair = place.previous + place.found if place.found == "=" else place.found + place.after[:1]
    if pair == "==" and place.found == "=":
        return _error("`==` compares; a line gives a name to a value", place, place.advice)
    if pair == ":=":
        return _error("`:=` is written `=` here", place, place.advice)
    if re.fullmatch(r"[-+*/@^]=", pair):
        help = "a name has one value; give the new value a name of its own"
        return _error(f"`{pair}` changes a value", place, help)
    if place.found == "=" and place.first in KINDS:
        help = f"write `{FORMS[place.first]}`; a computed value has a line `name = expression`"
        return _error(f"`{place.first}` declares a name and gives it no value", place, help)
    if place.found == "=" and "=" in place.before:
        return _error("a second `=` in one line", place, place.advice)
    return None


def _first_word(place: _Place) -> SpecError | None:
    """Recognise a line that starts with a word it cannot start with."""
    word = place.before.strip()
    if place.alone or not re.fullmatch(r"[^\W\d]\w*", word):
        return None
    span = Span(place.span.line, len(place.before) - len(place.before.lstrip()) + 1, len(word))
    if place.found and not place.found[0].isalnum() and word not in PROGRAM:
        return None
    if word in FORMS:
        return SpecError(f"`{word}` is not complete", span, place.advice)
    near = did_you_mean(word, FORMS)
    if not place.found and not near:
        return SpecError("`=` is missing in this line", span, ASSIGNMENT)
    help = f"did you mean `{near}`?" if near else LINES
    help = f"a spec is data, not a program; {LINES}" if word in PROGRAM else help
    return SpecError(f"no line starts with `{_short(word)}`", span, help)


def _range(place: _Place) -> SpecError | None:
    """Recognise a range written as in Python or MATLAB, and one where none can stand."""
    if place.found == "..":
        return _error("a range cannot stand here", place, RANGES)
    if "DOTS" in place.expected and not place.starts_value:
        return _error("a range is written with two dots", place, RANGES)
    return None


def _shape(place: _Place) -> SpecError | None:
    """Recognise a shape written in another way."""
    if place.first not in KINDS or ":" not in place.before:
        return None
    if re.search(r"\binit\b", place.before):
        return _error("this `init` is not one", place, "write `init he` or `init normal(0.01)`")
    what = f"`{_short(place.found)}` cannot stand in a shape"
    what = what if place.found else f"a size is missing after `{place.previous}`"
    named = place.first == "param" and place.found.isalnum()
    return _error(what, place, SHAPE + "; options are `init he` and `symmetric`" * named)


def _no_equals(place: _Place) -> SpecError | None:
    """Recognise an expression where a line needs a name before it."""
    if "EQUAL" not in place.expected or "=" in place.before or place.first == "size":
        return None
    help = place.advice
    if place.found == "," and place.first not in FORMS:
        help = "a line gives one name to one value"
    if place.found == "(" and place.first not in FORMS:
        help = f"an operation of your own is `op {_short(place.first)}(z) = …`; {ASSIGNMENT}"
    return _error("`=` is missing in this line", place, help)


def _brackets(place: _Place) -> SpecError | None:
    """Recognise a list of numbers, an index of something without a name, half a norm."""
    if place.found == "[" and place.wants_operator:
        help = "give the value a name on a line of its own, and index that"
        return _error("only a name has an index", place, help)
    if place.found == "[" and place.wants_value:
        help = "declare it, `const A : m x n`, or use `ones(n)`, `zeros(m, n)`, `eye(n)`"
        return _error("a spec holds no lists of numbers", place, help)
    if place.wants_operator and "BAR" in place.expected and not place.starts_value:
        return _error("`‖` is never closed", place, "write the matching `‖`")
    return None


def _word(place: _Place) -> SpecError | None:
    """Recognise a word of a programming language, and a method."""
    if {place.found, place.previous} & LOGIC and not place.wants_value:
        help = "write `relu(z)`, `heaviside(z)` or `max(a, b)`"
        return _error("a spec has no conditions", place, help)
    if place.found == ".":
        help = "write `W.T`, `.*`, `./` or `.^`; a function is called as `sum(W)`"
        return _error("a value has no attributes", place, help)
    return None


def _missing_value(place: _Place) -> SpecError | None:
    """Recognise an operator, a comma or a bracket without a value after it."""
    if not place.wants_value or place.starts_value:
        return None
    if not place.found:
        help = "write the value, or remove what asks for it"
        return _error(f"a value is missing after `{place.previous}`", place, help)
    what = f"a value is missing before `{_short(place.found)}`"
    if re.fullmatch(r"[-+*/@]{2}", place.previous + place.found):
        return _error(what, place, f"write one operator instead of `{place.previous}{place.found}`")
    return _error(what, place, "write a name, a number or an expression in ( )")


def _two_values(place: _Place) -> SpecError | None:
    """Recognise values side by side."""
    if not place.wants_operator or not place.starts_value:
        return None
    left, right = _short(place.previous), _short(place.found)
    return _error(f"no operator between `{left}` and `{right}`", place, OPERATORS)


_RULES: tuple[Callable[[_Place], SpecError | None], ...] = (
    _equals,
    _stray,
    _word,
    _first_word,
    _range,
    _shape,
    _no_equals,
    _brackets,
    _missing_value,
    _two_values,
)


def _error(message: str, place: _Place, help: str) -> SpecError:
    return SpecError(message, place.span, help)


def _short(text: str) -> str:
    return printable(text if len(text) <= 30 else text[:29] + "…")


def _quoted(character: str) -> str:
    """Return a character in quotes, with its number where it may not be visible."""
    number = "" if character.isascii() else f" (U+{ord(character[0]):04X})"
    return f"`{_short(character)}`{number}"
