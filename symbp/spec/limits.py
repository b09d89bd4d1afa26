"""Bounds on what a spec may ask for, so that no text makes a pass recurse or compute for long.

Nothing here recurses, and no power of numbers is ever computed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from symbp.errors import Span, SpecError
from symbp.spec.syntax import Binary, Node, Num, Unary, children
from symbp.spec.walks import topdown

BYTES = 1 << 20
NESTING = 200
NODES = 100_000
DIGITS = 20
DECIMAL_DIGITS = 60
SCALE = 300  # of the exponent in 1e300; double precision ends at 1e308
EXPONENT = 1000
NAME_LENGTH = 100
LOOPS = 4  # inside each other


@dataclass(frozen=True, slots=True)
class _Facts:
    """Of a node: its height, its value where it is made of numbers alone, whether by a power.

    A chain is as high as its highest term: `a + b + c` is flat, however long.
    """

    height: int
    value: float | None
    power: bool


def too_big(span: Span) -> SpecError:
    """Return the error for a text beyond the limit, which is passed at `span`."""
    return SpecError("a spec is text of at most 1 MiB", span, "is this the right file?")


def too_deep(span: Span) -> SpecError:
    """Return the error for an expression nested beyond the limit."""
    return SpecError(
        f"this expression is more than {NESTING} operations or brackets deep",
        span,
        "give a part of it a name on a line of its own: `u = …`",
    )


def too_many(span: Span) -> SpecError:
    """Return the error for more numbers, names and operators than the limit."""
    return SpecError(
        f"more than {NODES:,} numbers, names and operators",
        span,
        "a family, `for k in 1..K:`, says the same in fewer lines",
    )


def check_number(written: str, span: Span) -> None:
    """Raise a SpecError where a literal has too many digits or is out of range.

    To be called before its value is computed: `1e999999999` alone would fill the memory.
    """
    mantissa, _, exponent = written.lower().partition("e")
    whole = mantissa.isdigit() and not exponent
    limit = DIGITS if whole else DECIMAL_DIGITS
    if len(mantissa) > limit:
        raise SpecError(
            f"a number of {len(mantissa)} characters; at most {limit} are read",
            span,
            "write it with an exponent, such as `1e30`" if whole else "round it",
        )
    if exponent and (len(exponent) > 5 or abs(int(exponent)) > SCALE):
        raise SpecError(
            f"the exponent of a number lies between -{SCALE} and {SCALE}",
            span,
            "the computation is in double precision; rescale the quantity",
        )


def check_trees(roots: Iterable[Node]) -> None:
    """Raise a SpecError where the trees are too deep, too many, or hold a tower of powers."""
    room = NODES
    for root in roots:
        facts: dict[int, _Facts] = {}
        for node in reversed(topdown(root)):
            facts[id(node)] = _measure(node, [facts[id(child)] for child in children(node)])
            room -= 1
            if room < 0:
                raise too_many(node.span)


def _measure(node: Node, below: list[_Facts]) -> _Facts:
    """Return the facts of `node` from those of its children."""
    deeper = [facts.height + 1 for facts in below]
    if isinstance(node, Binary) and node.op not in ("^", ".^"):
        deeper[0] = below[0].height
    height = max(deeper, default=1)
    if height > NESTING:
        raise too_deep(node.span)
    power = any(facts.power for facts in below)
    values = [facts.value for facts in below if facts.value is not None]
    if isinstance(node, Num):
        return _Facts(height, float(node.value), False)
    if isinstance(node, Binary) and node.op in ("^", ".^"):
        _check_power(node, *below)
        return _Facts(height, 1.0 if len(values) == 2 else None, True)
    if isinstance(node, Unary | Binary) and len(values) == len(below):
        return _Facts(height, _literal_value(node.op, values), power)
    return _Facts(height, None, power)


def _literal_value(op: str, values: list[float]) -> float:
    """Return an operation on numbers, infinity where it is out of range."""
    first, last = values[0], values[-1]
    match op:
        case "-":
            return first - last if len(values) == 2 else -first
        case "+":
            return first + last
        case "/" | "./":
            return first / last if last else float("inf")
        case _:
            return first * last


def _check_power(node: Binary, base: _Facts, exponent: _Facts) -> None:
    """Refuse a power whose value nobody can want written out."""
    if exponent.value is None:
        return
    if exponent.power or (base.power and base.value is not None):
        raise SpecError(
            "a tower of powers of numbers",
            node.span,
            "its value has too many digits to be of use; write the number that is meant",
        )
    if not abs(exponent.value) <= EXPONENT:
        raise SpecError(
            f"an exponent lies between -{EXPONENT} and {EXPONENT}",
            node.span,
            "did you mean `exp`, or a smaller power?",
        )
