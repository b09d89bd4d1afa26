"""What the code computes once: stable expansions written out, shared parts named, aliases gone.

Softmax and log-sum-exp are written out in operations that neither overflow nor cancel; both begin
with exp(z − max z), and so the loss and its gradient share that.  A part gets a name where one
sweep reads it twice, or where a later sweep reads what the forward pass has computed anyway.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from symbp.ir import (
    Binding,
    Expr,
    Sum,
    Words,
    is_variable,
    name_of,
    symbol,
    variable,
    variables,
    walk,
)
from symbp.ops.kinds import Elementwise, Largest, Nonlinear
from symbp.ops.linear import combine, is_ones
from symbp.ops.pointwise import POSITIVE, RELU, SELECT
from symbp.ops.product import product
from symbp.ops.rewrite import lift, rebuild, rename, substitute, transform
from symbp.ops.scalar import PLACES, apply, from_scalar

Sweeps = dict[str, tuple[Binding, ...]]
BEFORE = {
    "primal": (),
    "loss": ("primal",),
    "tangent": ("primal",),
    "loss_dot": ("primal", "loss", "tangent"),
    "loss_bar": ("primal", "loss"),
    "head_bar": ("primal",),
    "adjoint": ("primal",),
    "inputs_bar": ("primal", "adjoint"),
    "loss_bar_dot": ("primal", "loss", "tangent", "loss_bar"),
    "adjoint_dot": ("primal", "tangent", "adjoint"),
}
"""The sweeps that have run whenever a sweep runs."""


def share(sweeps: Sweeps, taken: set[str], kept: set[str]) -> Sweeps:
    """Return the sweeps with expansions written out and shared parts named.

    `taken` are names in use; `kept` are lines that must stay, because a function returns them.
    """
    made = _named(_folded(sweeps, kept), taken, always=True)
    made = _changed(made, _expand)
    made = _masks_from_values(made)
    made = _changed(made, _select_outside)
    made = _changed(made, _sum_outside)
    made = _named(made, taken, always=False)
    return without_aliases(made, kept)


def _folded(sweeps: Sweeps, kept: set[str]) -> Sweeps:
    """Write the lines that are one number everywhere into the lines that read them."""
    numbers: dict[Expr, Expr] = {}
    made: Sweeps = {}
    for sweep, lines in sweeps.items():
        new = []
        for line in lines:
            expr = substitute(line.expr, numbers)
            given = (v for v in variables(expr) if symbol(v).role != "weight")
            if next(given, None) is None and line.name not in kept:
                numbers[line.target] = expr
            else:
                new.append(replace(line, expr=expr))
        made[sweep] = tuple(new)
    return made


def _expand(part: Expr) -> Expr | None:
    op = part.op
    if isinstance(op, Nonlinear) and op.expansion is not None:
        z = variable("_z", part.args[0].shape[op.leading :])
        expr = op.expansion(z)
        for axis in reversed(part.args[0].shape[: op.leading]):
            grown = rename(z, dims=(axis, *z.shape))
            expr = lift(expr, {z: grown}, axis)
            z = grown
        return substitute(expr, {z: part.args[0]})
    if isinstance(op, Elementwise) and op.exponent is None and not (op.code or op.ufunc):
        values = dict(zip(PLACES, part.args, strict=False))
        return transform(from_scalar(op.formula, values, part.shape), _expand)
    return None


def _masks_from_values(sweeps: Sweeps) -> Sweeps:
    """Read 1[f > 0] from h = relu(f): equal, and f's storage may then be h's."""
    rectified = {
        line.expr.args[0]: line.target
        for lines in sweeps.values()
        for line in lines
        if line.expr.op is RELU and is_variable(line.expr.args[0])
    }

    def change(part: Expr) -> Expr | None:
        if part.op is POSITIVE and part.args[0] in rectified:
            return rebuild(part, (rectified[part.args[0]],))
        return None

    return _changed(sweeps, change)


def _changed(sweeps: Sweeps, change: Callable[[Expr], Expr | None]) -> Sweeps:
    return {
        name: tuple(replace(b, expr=transform(b.expr, change)) for b in lines)
        for name, lines in sweeps.items()
    }


def _select_outside(part: Expr) -> Expr | None:
    """Write select(c, a, b) ⊙ d as select(c, a ⊙ d, b ⊙ d), which no number's type can widen."""
    op = part.op
    if not isinstance(op, Words) or len(part.args) < 2 or len(set(op.out)) < len(op.out):
        return None
    for k, arg in enumerate(part.args):
        if arg.op is SELECT and op.words[k] == op.out:
            rest = [
                (a, w) for j, (a, w) in enumerate(zip(part.args, op.words, strict=True)) if j != k
            ]
            dims = dict(enumerate(op.dims))
            condition, *choices = arg.args
            taken = [product([*rest, (choice, op.out)], op.out, dims) for choice in choices]
            return apply(SELECT, condition, *taken)
    return None


def _sum_outside(part: Expr) -> Expr | None:
    """Write Σ a + Σ b as Σ (a + b) where both sum products entry by entry over the same axes."""
    op = part.op
    if not isinstance(op, Sum) or len(part.args) < 2:
        return None
    inside, out = [], None
    for coefficient, arg in zip(op.coefficients, part.args, strict=True):
        words = arg.op
        if not isinstance(words, Words) or not arg.args or len(words.out) == len(words.dims):
            return None
        full = tuple(range(len(words.dims)))
        if any(word not in (full, ()) for word in words.words) or full not in words.words:
            return None
        inside.append((coefficient, product(zip(arg.args, words.words, strict=True), full)))
        if out not in (None, words.out) or inside[0][1].shape != inside[-1][1].shape:
            return None
        out = words.out
    total = combine(inside, inside[0][1].shape)
    return product([(total, tuple(range(total.rank)))], out or ())


def _named(sweeps: Sweeps, taken: set[str], *, always: bool) -> Sweeps:
    """Give a line to each part that is read twice in a sweep, or again in a later one.

    With `always`, instead to each function of a whole vector or matrix, read twice or not.
    """
    wanted = _nonlinear_parts(sweeps) if always else _shared_parts(sweeps)
    names: dict[str, Expr] = {}
    made: Sweeps = {}
    for sweep, lines in sweeps.items():
        own = {digest for before in BEFORE[sweep] for digest in wanted.get(before, ())}
        new: list[Binding] = []
        for line in lines:
            new.extend(_cut(line, (wanted[sweep], own), names, taken))
        made[sweep] = tuple(new)
    return made


def _cut(
    line: Binding, shared: tuple[set[str], set[str]], names: dict[str, Expr], taken: set[str]
) -> list[Binding]:
    """Return the line with the shared parts called by name, and before it those it is first to need."""
    wanted, have = shared
    new: list[Binding] = []
    done: dict[Expr, Expr] = {}
    for part in _outside(line.expr, have):
        if part.digest in have and part is not line.expr:
            done[part] = names[part.digest]
            continue
        made = rebuild(part, tuple(done[arg] for arg in part.args))
        if part is not line.expr and part.digest in wanted:
            if part.digest not in names:
                name = _fresh(_describe(part), taken)
                names[part.digest] = variable(name, part.shape, batched=part.batched)
            new.append(Binding(names[part.digest], made))
            have.add(part.digest)
            made = names[part.digest]
        done[part] = made
    return [*new, replace(line, expr=done[line.expr])]


def _outside(root: Expr, have: set[str]) -> list[Expr]:
    """Return the parts of an expression, arguments first, not going into those that have a name."""
    order: dict[Expr, None] = {}
    pending: list[tuple[Expr, bool]] = [(root, False)]
    while pending:
        part, ready = pending.pop()
        if part in order:
            continue
        if ready or (part.digest in have and part is not root):
            order[part] = None
            continue
        pending.append((part, True))
        pending.extend((arg, False) for arg in reversed(part.args))
    return list(order)


def _nonlinear_parts(sweeps: Sweeps) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {}
    for sweep, lines in sweeps.items():
        earlier = {digest for before in BEFORE[sweep] for digest in wanted[before]}
        inside = [part for line in lines for part in walk(line.expr) if part is not line.expr]
        found = {part.digest for part in inside if isinstance(part.op, Nonlinear)}
        wanted[sweep] = found - earlier
    return wanted


def _shared_parts(sweeps: Sweeps) -> dict[str, set[str]]:
    """Return for each sweep the digests of the parts that it names."""
    made: dict[str, set[str]] = {}
    wanted: dict[str, set[str]] = {sweep: set() for sweep in sweeps}
    for sweep, lines in sweeps.items():
        made[sweep] = set()
        pending = [arg for line in reversed(lines) for arg in reversed(line.expr.args)]
        while pending:
            part = pending.pop()
            if is_worth_naming(part):
                origins = [s for s in (*BEFORE[sweep], sweep) if part.digest in made[s]]
                if origins:
                    wanted[origins[0]].add(part.digest)
                    continue
                made[sweep].add(part.digest)
            pending.extend(reversed(part.args))
    return wanted


def is_worth_naming(part: Expr) -> bool:
    """Tell whether computing a part twice costs more than a name."""
    op = part.op
    if isinstance(op, Largest | Nonlinear):
        return True
    if isinstance(op, Elementwise):
        return not op.idempotent and op.exponent not in (-1, 2)
    if isinstance(op, Sum):
        return len(part.args) > 1 and part.rank > 0 and not any(map(is_ones, part.args))
    if not isinstance(op, Words) or not part.args:
        return False
    return len(part.args) > 1 or len(op.out) < len(op.words[0])


def _describe(part: Expr) -> str:
    """Return a name that says what a part is: softmax_z, exp_z, sum_exp_z, one_minus_y."""
    op = part.op
    if not part.args:
        return name_of(part) if is_variable(part) else "one"
    first = next((arg for arg in part.args if variables(arg)), part.args[0])
    inner = _describe(first)
    if isinstance(op, Largest):
        return f"max_{inner}"
    if isinstance(op, Elementwise | Nonlinear):
        argument = _describe(first.args[0]) if _is_shift(first) else inner
        exponent = getattr(op, "exponent", None)
        return f"{_POWERS.get(str(exponent), op.name)}_{argument}"
    if isinstance(op, Words) and len(part.args) == 1 and len(op.out) < len(op.words[0]):
        return f"sum_{inner}"
    if _is_shift(part):
        return f"shifted_{inner}"
    if isinstance(op, Sum) and len(part.args) == 2 and all(_is_plain(arg) for arg in part.args):
        sign = "minus" if op.coefficients[1] < 0 else "plus"
        return f"{_describe(part.args[0])}_{sign}_{_describe(part.args[1])}"
    return "t"


def _is_plain(part: Expr) -> bool:
    return not part.args


def _is_shift(part: Expr) -> bool:
    """Tell whether a part is z − max z."""
    if not isinstance(part.op, Sum) or len(part.args) != 2:
        return False
    return any(isinstance(below.op, Largest) for below in (part.args[1], *part.args[1].args))


_POWERS = {"2": "squared", "1/2": "sqrt", "-1": "inverse"}


def _fresh(stem: str, taken: set[str]) -> str:
    name, k = stem, 2
    while name in taken:
        name, k = f"{stem}_{k}", k + 1
    taken.add(name)
    return name


def without_aliases(sweeps: Sweeps, kept: set[str]) -> Sweeps:
    """Drop the lines `v = u`: one of the two names stands for both, `v` where it must stay."""
    renamed: dict[Expr, Expr] = {}
    made: Sweeps = {}
    targets = {line.target for lines in sweeps.values() for line in lines}
    for sweep, lines in sweeps.items():
        own = {line.target for line in lines}
        fixed = {line.target for line in lines if line.name in kept}
        for line in lines:
            source = renamed.get(line.expr, line.expr)
            if not is_variable(source) or _may_be_left_out(source, targets):
                continue
            if line.target not in fixed:
                renamed[line.target] = source
            elif source in own and source not in fixed and _reads_like(source, line.target):
                renamed[source] = line.target
                fixed.add(source)
        made[sweep] = lines
    final = {v: _follow(v, renamed) for v in renamed}
    return {sweep: _renamed(lines, final) for sweep, lines in made.items()}


def _may_be_left_out(var: Expr, targets: set[Expr]) -> bool:
    """Tell whether a variable is an input's tangent, for which a caller may give nothing."""
    op = symbol(var)
    return op.role == "tangent" and op.batched and var not in targets


def _reads_like(source: Expr, target: Expr) -> bool:
    return source.shape == target.shape and source.batched == target.batched


def _follow(var: Expr, renamed: Mapping[Expr, Expr]) -> Expr:
    while var in renamed:
        var = renamed[var]
    return var


def _renamed(lines: Sequence[Binding], final: Mapping[Expr, Expr]) -> tuple[Binding, ...]:
    made = []
    for line in lines:
        target, expr = final.get(line.target, line.target), substitute(line.expr, final)
        if target is not expr:
            made.append(replace(line, target=target, expr=expr))
    return tuple(made)
