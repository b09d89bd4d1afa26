"""The functions of the language, a closed list: found by name, checked, applied."""

from symbp.errors import SpecError, did_you_mean
from symbp.ir import Expr
from symbp.ops import FUNCTIONS, RECORDS
from symbp.ops.kinds import Elementwise
from symbp.ops.linear import number, zeros
from symbp.ops.product import broadcast, diagonal_delta
from symbp.ops.reshape import commutation
from symbp.ops.scalar import apply
from symbp.spec.arithmetic import align, repeated
from symbp.spec.catalogue import TABLE, Function, Site
from symbp.spec.names import Scope
from symbp.spec.syntax import Call
from symbp.spec.values import Value


def find(scope: Scope, at: Call) -> Function:
    """Return the function that a call means, before its arguments are read.

    Raises a SpecError for an unknown function, a wrong number of arguments or a stray `, rows`.
    """
    record = _record(scope, at.name)
    if record is not None:
        function = Function(_takes(at.name, record), len(record.slopes), _elementwise)
    elif at.name in TABLE:
        function = TABLE[at.name]
    else:
        raise _unknown(scope, at)
    if len(at.args) != function.arity:
        count = "one argument" if function.arity == 1 else f"{function.arity} arguments"
        what = f"`{at.name}` takes {count}, not {len(at.args)}"
        raise SpecError(what, at.span, function.takes)
    if at.rows and function.by_rows is None:
        raise SpecError(f"`{at.name}` has no form with `, rows`", at.span, function.takes)
    return function


def call(function: Function, site: Site) -> Value:
    """Return the value of a call; raise a SpecError where the shapes are wrong."""
    build = function.by_rows if site.call.rows else function.build
    made = build(site) if build else None
    if made is None:
        raise site.refused(function.takes)
    return made


def names(scope: Scope) -> list[str]:
    """Return the functions that a spec can call."""
    return [*FUNCTIONS, *TABLE, *FILLED, *scope.operations]


def _unknown(scope: Scope, at: Call) -> SpecError:
    if at.name in scope.given or at.name in scope.lines or at.name in scope.sizes:
        help = f"write `{at.name} * (…)` to multiply"
        return SpecError(f"`{at.name}` is a value, not a function", at.span, help)
    near = did_you_mean(at.name, names(scope))
    help = "an elementwise function of your own is `op swish(z) = z * sigmoid(z)`"
    help = f"did you mean `{near}`?" if near else help
    return SpecError(f"`{at.name}` is no function of the language", at.span, help)


# Elementwise functions, those of the user among them


def _record(scope: Scope, name: str) -> Elementwise | None:
    if name in scope.operations:
        return scope.operations[name].record
    return RECORDS.get(FUNCTIONS[name]) if name in FUNCTIONS and name != "sqrt" else None


def _takes(name: str, record: Elementwise) -> str:
    places = ", ".join("zwv"[: len(record.slopes)])
    more = ": scalars, or arrays of one shape" if "," in places else ": a scalar or an array"
    return f"`{name}({places})`, entry by entry{more}"


def _elementwise(site: Site) -> Value | None:
    record = _record(site.scope, site.call.name)
    assert record is not None
    like = max(site.args, key=lambda arg: arg.expr.rank)
    full: list[Expr] = []
    for arg in site.args:
        if arg.kind == "scalar":
            full.append(repeated(arg, like))
            continue
        pair = align(site.scope, like, arg)
        if pair is None or pair[0].shape != like.expr.shape:
            return None
        full.append(pair[1])
    return Value(apply(record, *full), like.row)


# Arrays of ones and zeros

FILLED = {
    "ones": "`ones(n)` or `ones(m, n)`, of sizes or whole numbers",
    "zeros": "`zeros(n)` or `zeros(m, n)`, of sizes or whole numbers",
    "eye": "`eye(n)`, of a size or a whole number",
    "commutation": "`commutation(m, n)`, which takes vec(X) to vec(X') for X of m x n",
}
_COUNTS: dict[str, tuple[int, ...]] = {"eye": (1,), "commutation": (2,)}


def filled(scope: Scope, at: Call) -> Value:
    """Return an array of numbers of given dimensions; raise a SpecError where they are none."""
    counts = _COUNTS.get(at.name, (1, 2))
    if at.rows or len(at.args) not in counts:
        count = " or ".join(("one", "two")[n - 1] for n in counts)
        count += " argument" if counts == (1,) else " arguments"
        raise SpecError(f"`{at.name}` takes {count}", at.span, FILLED[at.name])
    dims = [scope.dim(arg) for arg in at.args]
    if at.name == "eye":
        return Value(diagonal_delta(dims[0]))
    if at.name == "commutation":
        return Value(commutation(*dims))
    return Value(broadcast(number(1), *dims) if at.name == "ones" else zeros(*dims))
