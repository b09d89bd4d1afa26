"""The names of a spec: what each means, and what is said of one that means nothing."""

from dataclasses import replace

import sympy as sp

from symbp.errors import SpecError, did_you_mean
from symbp.ir import Constant, Dim, Expr, Size, node, size_symbol, symbol
from symbp.ops.linear import number
from symbp.sizes import size_member
from symbp.spec.entries import CONSTANTS, Entries
from symbp.spec.families import Places
from symbp.spec.indices import no_whole_number, place_of
from symbp.spec.ranges import holds, is_long, lowest, put, put_all, settled, tidy, worst
from symbp.spec.spelling import dims_text, place_text, range_text, spelled, turn_text
from symbp.spec.syntax import Node, Num, Ref
from symbp.spec.values import Value


class ShapeError(SpecError):
    """A SpecError about shapes that do not fit."""


class Scope(Entries):
    """What the names of a spec mean, at the line that is being read."""

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

    def named(self, ref: Ref) -> tuple[str, Places]:
        """Return the plain name of a reference, and its place in a family of symbolic length.

        `h[k-1]` is `h_1` where k is 2, and `h` at k - 1 where k has no number.
        """
        if ref.index is None:
            return ref.name, ()
        if ref.name in self.places and ref.name not in self.families:
            help = "single entries cannot be read; use `dot` with a `const`, or declare a family"
            raise SpecError(f"`{ref.name}` is no family, it has no members", ref.span, help)
        places = self.places_of(ref)
        if ref.name in self.families:
            return self._member(ref, places)
        if ref.name in self.computed:
            family = self.computed[ref.name]
            if len(places) != len(family.axes):
                defined = spelled(family.definitions[0].line.target)
                what = f"`{spelled(ref)}` has another number of indices than `{defined}`"
                raise SpecError(what, ref.span, f"write as many of them as in `{defined}`")
            return ref.name, places
        return self.flat_name(ref, places), ()

    def in_turn(self, *values: Value) -> str:
        """Return the shapes of values in the first turn of the loops around; empty in none."""
        turn = settled(worst(0, self.loops))
        spoken = sp.Tuple(*(dim for value in values for dim in value.dims))
        if not turn_text(spoken, turn):
            return ""
        shapes = [put_all(value.dims, turn) for value in values]
        shown = " and ".join(dims_text(dims, {}) or "a scalar" for dims in shapes)
        return f"; for {turn_text(spoken, turn)}: {shown}"

    def places_of(self, ref: Ref) -> Places:
        """Return the places of an index, which are numbered from 0."""
        places = tuple(place_of(index, self._in_index) for index in ref.index or ())
        for place in places:
            if ref.name not in self.families and holds(place, self.loops) is False:
                least = place_text(lowest(place, self.loops))
                what = f"`{spelled(ref)}` is member {least}, and members are numbered from 0"
                raise SpecError(what, ref.span, "check the index and the range of the loop")
        return places

    def flat_name(self, ref: Ref, places: Places) -> str:
        """Return the plain name of a member at numbers."""
        for place in places:
            if not isinstance(place, int):
                what = f"`{spelled(ref)}`: `{ref.name}` has members at numbers alone"
                help = f"define them in a loop over the same range: `{spelled(ref)} = …`"
                raise SpecError(what, ref.span, help)
        return "_".join([ref.name, *map(str, places)])

    def _member(self, ref: Ref, places: Places) -> tuple[str, Places]:
        """Return the name and the place of a member of a declared family."""
        if len(places) != 1:
            help = f"write `{ref.name}[k]`; single entries of a matrix cannot be read"
            raise SpecError("a member of a declared family has one index", ref.span, help)
        (place,), range_ = places, self.families[ref.name]
        if isinstance(place, int) and place < 0:
            what = f"`{spelled(ref)}` is member {place}, and members are numbered from 0"
            raise SpecError(what, ref.span, "check the index and the range of the loop")
        for gap in (tidy(sp.S(place) - range_.start), tidy(sp.S(range_.stop) - place)):
            known = holds(gap, self.loops)
            if known is False:
                raise self._outside(ref, place, gap)
            if known is None:
                self.least.append(lowest(gap, self.loops))
        return (ref.name, places) if is_long(range_) else (self.flat_name(ref, places), ())

    def _outside(self, ref: Ref, place: Dim, gap: Dim) -> SpecError:
        """Return the error for an index outside its family, in the turn where it is worst."""
        members, help = range_text(self.families[ref.name]), "check the index, or declare more"
        turn = turn_text(gap, settled(worst(gap, self.loops)))
        if turn:
            found = put(place, settled(worst(gap, self.loops)))
            needs = f"{turn} needs {ref.name}[{place_text(found)}]"
            what = f"`{spelled(ref)}`: {needs}, and {ref.name} has members {members}"
            return SpecError(what, ref.span, f"{help} members, or change the range of the loop")
        what = f"`{spelled(ref)}` is member {place_text(place)} of `{ref.name}[{members}]`"
        return SpecError(what, ref.span, f"{help} members")

    def read(self, ref: Ref) -> Value:
        """Return the value of a name in an expression."""
        name, places = self.named(ref)
        found = self.lines.get(name) or self.given.get(name)
        if found is not None and places:
            return Value(member(found, self.families[name].letter, places[0]))
        if found is not None and not (ref.index is None and name in self.families):
            return Value(found)
        if ref.index is None and name in self.indices:
            index = self.indices[name]
            return Value(number(index) if isinstance(index, int) else node(Size(index)))
        size = self._size(name, places)
        if size is not None:
            return Value(node(Size(size)))
        if name in CONSTANTS:
            return Value(node(Constant(CONSTANTS[name])))
        return self.undeclared(name, ref)

    def _size(self, name: str, places: Places) -> sp.Expr | None:
        """Return the symbol of a size, or the member of a family of sizes; None where it is none.

        Members of one number are one size.
        """
        if places and name in self.families and name not in self.given:
            return size_symbol(name) if name in self.sizes else size_member(name, places[0])
        known = not places and name in self.sizes and name not in self.families
        return size_symbol(name) if known else None

    def place(self, at: Node) -> Dim:
        """Return the place that an index or a bound is; raise a SpecError where it is none."""
        return place_of(at, self._in_index)

    def _in_index(self, ref: Ref) -> Dim:
        """Return what a name in an index is: a letter, the number of a size, or the size."""
        if ref.index is None and ref.name in self.indices:
            return self.indices[ref.name]
        name, places = self.named(ref)
        size = self._size(name, places)
        if size is not None and size.is_Symbol:
            known = self.sizes[str(size)]
            return size if known is None else known
        if size is not None or name in self.given or name in self.lines or places:
            raise no_whole_number(ref)
        near = did_you_mean(name, [*self.sizes, *self.indices])
        help = f"did you mean `{near}`?" if near else f"declare it: `size {name} = 3`"
        raise SpecError(f"`{spelled(ref)}` is not declared", ref.span, help)

    def undeclared(self, name: str, ref: Ref) -> Value:
        """Raise the SpecError for a name that means nothing here."""
        raise unknown(name, ref, self)

    def dim(self, at: Node) -> Dim:
        """Return the dimension that a size, a number or a loop letter is."""
        if isinstance(at, Ref):
            name, places = self.named(at)
            if at.index is None and name in self.indices:
                return self.indices[name]
            size = self._size(name, places)
            return self.undeclared_size(name, at) if size is None else size
        if isinstance(at, Num) and at.value.denominator == 1 and at.value > 0:
            return int(at.value)
        help = "write a size, `n`, or a whole number from 1"
        raise SpecError(f"`{spelled(at)}` is no dimension", at.span, help)

    def undeclared_size(self, name: str, ref: Ref) -> Dim:
        """Raise the SpecError for a size that is none."""
        if name in self.given or name in self.lines:
            help = f"sizes are declared by `size {name}`"
            raise SpecError(f"`{spelled(ref)}` is no size", ref.span, help)
        if ref.index is None and name in self.families:
            raise unknown(name, ref, self)
        near = did_you_mean(ref.name, [*self.sizes, *self.families])
        form = ref.name if ref.index is None else f"{ref.name}[0..K]"
        help = f"did you mean `{near}`?" if near else f"declare it: `size {form}`"
        raise SpecError(f"the size `{spelled(ref)}` is not declared", ref.span, help)


def member(family: Expr, letter: sp.Symbol, place: Dim) -> Expr:
    """Return the member at a place of a given family, of which the one at a letter is known."""
    op = symbol(family)
    return node(replace(op, dims=put_all(op.dims, {letter: place}), index=(place,)))


def unknown(name: str, ref: Ref, scope: Scope) -> SpecError:
    """Return the error for a name that no declaration and no line above gives a meaning."""
    written = spelled(ref)
    if ref.index is None and name in scope.computed:
        help = f"name a member: `{name}[{','.join('1' * len(scope.computed[name].axes))}]`"
        return SpecError(f"`{name}` is a family, not one value", ref.span, help)
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
        first = place_text(scope.families[name].start)
        help = f"name a member: `{name}[{first}]`, or `{name}[k]` in a loop over k"
        return SpecError(f"`{name}` is a family, not one value", ref.span, help)
    if name == "T":
        return SpecError("`T` is not declared", ref.span, "a transpose is `W'` or `W.T`")
    candidates = [*scope.given, *scope.lines, *scope.sizes, *scope.families, *scope.coming]
    candidates += scope.computed
    if ref.index is not None:
        candidates = [known.rpartition("_")[0] for known in candidates if "_" in known]
    near = did_you_mean(ref.name, candidates)
    help = f"declare it, `param {ref.name}` or `input {ref.name}`, or give it a line above"
    return SpecError(
        f"`{written}` is not declared", ref.span, f"did you mean `{near}`?" if near else help
    )
