"""The names of a spec: what each means, and what is said of one that means nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import sympy as sp

from symbp.errors import Span, SpecError, did_you_mean
from symbp.ir import Constant, Dim, Expr, Size, node
from symbp.ops.kinds import Elementwise
from symbp.ops.linear import number
from symbp.spec import limits
from symbp.spec.spelling import dims_text, spelled
from symbp.spec.syntax import Binary, Node, Num, Ref, Unary
from symbp.spec.values import Value
from symbp.spec.walks import spine

CONSTANTS = {"pi": sp.pi, "euler": sp.E}
LARGEST_INDEX = 1_000_000


class ShapeError(SpecError):
    """A SpecError about shapes that do not fit."""


def size_symbol(name: str) -> sp.Symbol:
    """Return the symbol of a size."""
    return sp.Symbol(name, positive=True, integer=True)


@dataclass(frozen=True, slots=True)
class UserOperation:
    """An `op` line: its SymPy function, and the record of what it does."""

    function: type[sp.Function]
    record: Elementwise
    arity: int


@dataclass
class Scope:
    """What the names of a spec mean, at the line that is being read.

    sizes: each size with its number, None where it is symbolic.
    families: first and last member of each declared family.
    tuples: the plain names of the members of each family of parameters.
    indices: the letters of the loops around, with their numbers.
    coming: the lines below, by name, with the number of the line of text.
    room: how many nodes may still be read.
    """

    sizes: dict[str, int | None] = field(default_factory=dict)
    given: dict[str, Expr] = field(default_factory=dict)
    lines: dict[str, Expr] = field(default_factory=dict)
    operations: dict[str, UserOperation] = field(default_factory=dict)
    families: dict[str, tuple[int, int]] = field(default_factory=dict)
    tuples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    indices: dict[str, int] = field(default_factory=dict)
    coming: dict[str, int] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    room: int = limits.NODES

    def spend(self, span: Span) -> None:
        """Count one node; raise a SpecError where loops ask for too many."""
        self.room -= 1
        if self.room < 0:
            raise limits.too_many(span)

    def declare(self, name: str, span: Span) -> None:
        """Note where a name is declared; raise a SpecError where it already means something."""
        if name in self.places:
            first, span = sorted((self.places[name], span), key=lambda at: (at.line, at.column))
            line = first.line
            help = "a name means one thing: choose another name for one of the two"
            raise SpecError(f"`{name}` is already declared in line {line}", span, help)
        if name in CONSTANTS:
            value = f"{float(CONSTANTS[name]):.5f}"
            help = f"choose another name, such as `{name}_1`"
            raise SpecError(f"`{name}` is the constant {value}…", span, help)
        if name == "loss":
            help = "write `loss = expression`; choose another name for what is given"
            raise SpecError("`loss` names the line that is differentiated", span, help)
        self.places[name] = span

    @contextmanager
    def at(self, indices: Mapping[str, int]) -> Iterator[None]:
        """Give letters their numbers for a while; an error meanwhile names them."""
        before = self.indices
        self.indices = {**before, **indices}
        try:
            yield
        except SpecError as error:
            where = ", ".join(f"{letter} = {value}" for letter, value in indices.items())
            suffix = f" (where {where})" if where else ""
            raise SpecError(error.message + suffix, error.span, error.help) from None
        finally:
            self.indices = before

    def agree(self, one: Dim, other: Dim) -> bool:
        """Tell whether two dimensions are the same.

        Sizes are compared by name on purpose: a wrong product must not pass because two sizes
        happen to hold the same number.  000 example 2.3 shows it: read by dimensions alone,
        `E @ U` is refused for dV only as long as d_y and d_x differ.
        """
        return bool(one == other)

    def number_of(self, dim: Dim) -> int | None:
        """Return the number of a dimension, None where it is symbolic."""
        return int(dim) if isinstance(dim, int | sp.Integer) else self.sizes.get(str(dim))

    def shape_text(self, value: Value) -> str:
        """Return `m x n`, `n` or `a scalar`."""
        return dims_text(value.dims, self.sizes) or "a scalar"

    def flat_name(self, ref: Ref) -> str:
        """Return the plain name of a reference: `h[k-1]` is `h_1` where k is 2."""
        if ref.index is None:
            return ref.name
        if ref.name in self.places and ref.name not in self.families:
            help = "single entries cannot be read; use `dot` with a `const`, or declare a family"
            raise SpecError(f"`{ref.name}` is no family, it has no members", ref.span, help)
        if len(ref.index) != 1:
            help = f"write `{ref.name}[k]`; single entries of a matrix cannot be read"
            raise SpecError("a member of a family has one index", ref.span, help)
        member = integer(ref.index[0], self)
        if member < 0:
            what = f"`{spelled(ref)}` is member {member}, and members are numbered from 0"
            raise SpecError(what, ref.span, "check the index and the range of the loop")
        first, last = self.families.get(ref.name, (0, LARGEST_INDEX))
        if not first <= member <= last:
            what = f"`{spelled(ref)}` is member {member} of `{ref.name}[{first}..{last}]`"
            raise SpecError(what, ref.span, "check the index, or declare more members")
        return f"{ref.name}_{member}"

    def read(self, ref: Ref) -> Value:
        """Return the value of a name in an expression."""
        name = self.flat_name(ref)
        found = self.lines.get(name) or self.given.get(name)
        if found is not None:
            return Value(found)
        if name in self.indices:
            return Value(number(self.indices[name]))
        if name in self.sizes:
            return Value(node(Size(size_symbol(name))))
        if name in CONSTANTS:
            return Value(node(Constant(CONSTANTS[name])))
        return self.undeclared(name, ref)

    def undeclared(self, name: str, ref: Ref) -> Value:
        """Raise the SpecError for a name that means nothing here."""
        raise unknown(name, ref, self)

    def dim(self, at: Node) -> Dim:
        """Return the dimension that a size, a number or a loop letter is."""
        if isinstance(at, Ref):
            name = self.flat_name(at)
            if name in self.indices:
                return self.indices[name]
            return size_symbol(name) if name in self.sizes else self.undeclared_size(name, at)
        if isinstance(at, Num) and at.value.denominator == 1 and at.value > 0:
            return int(at.value)
        help = "write a size, `n`, or a whole number from 1"
        raise SpecError(f"`{spelled(at)}` is no dimension", at.span, help)

    def undeclared_size(self, name: str, ref: Ref) -> Dim:
        """Raise the SpecError for a size that is none."""
        if name in self.given or name in self.lines:
            help = f"sizes are declared by `size {name}`"
            raise SpecError(f"`{spelled(ref)}` is no size", ref.span, help)
        near = did_you_mean(ref.name, [*self.sizes, *self.families])
        form = ref.name if ref.index is None else f"{ref.name}[0..K]"
        help = f"did you mean `{near}`?" if near else f"declare it: `size {form}`"
        raise SpecError(f"the size `{spelled(ref)}` is not declared", ref.span, help)


def unknown(name: str, ref: Ref, scope: Scope) -> SpecError:
    """Return the error for a name that no declaration and no line above gives a meaning."""
    written = spelled(ref)
    if name in scope.coming:
        line = scope.coming[name]
        if line == ref.span.line and scope.indices:
            help = "a turn of the loop may use the turns before it, such as `h[k-1]` for `h[k]`"
            return SpecError(f"`{written}` is used before the loop defines it", ref.span, help)
        if line == ref.span.line:
            help = "a line may use what stands above it; call the new value by a new name"
            return SpecError(f"`{written}` is used in the line that defines it", ref.span, help)
        help = f"move line {line} up; two lines that need each other have no value"
        return SpecError(f"`{written}` is used before line {line} defines it", ref.span, help)
    if ref.index is None and name in scope.families:
        first, _ = scope.families[name]
        help = f"name a member: `{name}[{first}]`, or `{name}[k]` in a loop over k"
        return SpecError(f"`{name}` is a family, not one value", ref.span, help)
    if name == "T":
        return SpecError("`T` is not declared", ref.span, "a transpose is `W'` or `W.T`")
    candidates = [*scope.given, *scope.lines, *scope.sizes, *scope.families, *scope.coming]
    if ref.index is not None:
        candidates = [known.rpartition("_")[0] for known in candidates if "_" in known]
    near = did_you_mean(ref.name, candidates)
    help = f"declare it, `param {ref.name}` or `input {ref.name}`, or give it a line above"
    return SpecError(
        f"`{written}` is not declared", ref.span, f"did you mean `{near}`?" if near else help
    )


def integer(at: Node, scope: Scope) -> int:
    """Return the whole number that an index or a bound of a range is.

    Raises a SpecError for anything but sums and products of whole numbers, loop letters and
    sizes that have a number.
    """
    match at:
        case Num(value=value) if value.denominator == 1:
            return _small(int(value), at)
        case Ref(name=name, index=None) if name in scope.indices:
            return scope.indices[name]
        case Ref():
            return _small(_numbered_size(at, scope), at)
        case Unary(arg=arg):
            return -integer(arg, scope)
        case Binary():
            steps = spine(at)
            result = integer(steps[0].left, scope)
            for step in steps:
                result = _small(_joined(step, result, scope), step)
            return result
    raise _no_whole_number(at)


def _joined(at: Binary, left: int, scope: Scope) -> int:
    """Return a sum or a product of whole numbers, given its left side."""
    if at.op not in ("+", "-", "*"):
        raise _no_whole_number(at)
    right = integer(at.right, scope)
    return {"+": left + right, "-": left - right, "*": left * right}[at.op]


def _small(number: int, at: Node) -> int:
    if abs(number) <= LARGEST_INDEX:
        return number
    help = f"indices lie below {LARGEST_INDEX:,}"
    raise SpecError(f"`{spelled(at)}` is {number:,}", at.span, help)


def _no_whole_number(at: Node) -> SpecError:
    help = "an index is made of whole numbers, the letter of the loop and sizes"
    return SpecError(f"`{spelled(at)}` is no whole number", at.span, help)


def _numbered_size(ref: Ref, scope: Scope) -> int:
    name = scope.flat_name(ref)
    if name not in scope.sizes:
        if name in scope.given or name in scope.lines:
            raise _no_whole_number(ref)
        near = did_you_mean(name, [*scope.sizes, *scope.indices])
        help = f"did you mean `{near}`?" if near else f"declare it: `size {name} = 3`"
        raise SpecError(f"`{spelled(ref)}` is not declared", ref.span, help)
    known = scope.sizes[name]
    if known is None:
        help = f"families of symbolic length are not derived yet; write `size {name} = 3`"
        raise SpecError(f"`{name}` has no number, and a range needs one", ref.span, help)
    return known
