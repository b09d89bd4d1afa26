"""The general Jacobian, the chain rule, and the lemma of a matrix that meets a vector.

They are what a line that is linear in a direction says: ẏ = J ẋ is a product like any other, so
its adjoint is Jᵀ ȳ, and Jacobians compose as the products do.  Source: 000, section 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbp.derive.forward import dot
from symbp.derive.partial import normal, partial, with_deltas
from symbp.derive.proof import Equation, Label, Proof, index_letters, prove
from symbp.derive.topics import M, N
from symbp.ir import Expr, Words, node, size_symbol, variable
from symbp.ops.linear import number
from symbp.ops.product import contract
from symbp.ops.rules import pullback
from symbp.program import Binding

K, P = map(size_symbol, "KP")
_LOSS = variable("loss")


@dataclass(frozen=True)
class General:
    """A statement on derivatives as such: what is assumed, and proofs; `also` are further names."""

    name: str
    given: str
    proofs: tuple[Proof, ...]
    also: tuple[str, ...] = ()


def statements() -> dict[str, General]:
    """Return the statements by their names."""
    found = (
        General(
            "jacobian",
            "y = f(x): the Jacobian has the axes of the output, then those of the input",
            tuple(_jacobian(*shapes) for shapes in _SHAPES),
            ("general jacobian", "general-jacobian", "gradient"),
        ),
        General("chain", "z = f(y), y = g(x)", (_chain(),), ("chain rule", "chain-rule")),
        General("lemma-2.1", "g(V) = φ(h), h = V x", (_lemma(),), ("lemma 2.1", "lemma")),
    )
    return {statement.name: statement for statement in found}


_SHAPES = (((M,), (N,)), ((), (N,)), ((M,), (N, K)), ((M, P), (N, K)))


def _moved(top: Expr, by: Expr, direction: Expr) -> Expr:
    """Return Σ ∂top/∂by · direction, the differential of a function of which nothing is known."""
    out, inner = tuple(range(top.rank)), tuple(range(top.rank, top.rank + by.rank))
    name = partial(top, by)
    return node(Words(((*out, *inner), inner), out, name.shape), name, direction)


def _labels(letters: Sequence[str], *ranks: int) -> list[tuple[Label, ...]]:
    left = iter(letters)
    return [tuple((next(left),) for _ in range(rank)) for rank in ranks]


def _jacobian(above: tuple[Expr, ...], below: tuple[Expr, ...]) -> Proof:
    """Return what the Jacobian does to a direction, and its transpose to a gradient."""
    top = variable("yY"[len(above) - 1] if above else "loss", above)
    by = variable("xX"[len(below) - 1], below)
    letters = index_letters([Binding(top, by)])
    out, inner = _labels(letters, top.rank, by.rank)
    along = _moved(top, by, dot(by))
    seed = partial(_LOSS, top) if above else number(1)
    adjoint = pullback(along, seed, {dot(by)})[dot(by)]
    gradient = partial(_LOSS, by)
    found = [Equation(dot(top), along, "what a Jacobian is", out)]
    if len(above) == len(below) == 1:
        found.append(Equation(dot(top), normal(along), "output × input times a column"))
    if above:
        found.append(Equation(gradient, adjoint, "chain rule", inner))
        found.append(Equation(gradient, adjoint, "as an array of the input's shape"))
    else:
        found.append(Equation(dot(top), normal(along), "1 × n times a column"))
    return Proof(partial(top, by), tuple(found), letters)


def _chain() -> Proof:
    """Return why Jacobians are multiplied, and their transposes in the other order."""
    x, y, z = variable("x", (N,)), variable("y", (M,)), variable("z", (K,))
    letters = index_letters([Binding(x, y)])
    (out, inner) = _labels(letters, 1, 1)
    first, last = _moved(y, x, dot(x)), _moved(z, y, dot(y))
    both = _moved(z, y, first)
    adjoint = pullback(normal(both), partial(_LOSS, z), {dot(x)})[dot(x)]
    composed = with_deltas(both, x)
    whole, gradient = partial(z, x), partial(_LOSS, x)
    found = (
        Equation(dot(y), first, "what a Jacobian is", out),
        Equation(dot(z), last, "what a Jacobian is", out),
        Equation(dot(z), both, "the one put into the other", out),
        Equation(whole, composed, "an entry by an entry is a δ", (*out, *inner)),
        Equation(whole, normal(composed), "a δ picks equal indices", (*out, *inner)),
        Equation(whole, normal(composed), "output × input"),
        Equation(gradient, adjoint, "the adjoint of that product", inner),
        Equation(gradient, adjoint, "as an array"),
    )
    return Proof(whole, found, letters)


def _lemma() -> Proof:
    """Return the gradient of g(V) = φ(V x) from that of φ: g and φ have one value."""
    V, x, h = variable("V", (M, N)), variable("x", (N,)), variable("h", (M,))
    g, phi = variable("g"), variable("phi")
    proof = prove([Binding(h, contract("ij,j->i", V, x))], V, g)
    value = {partial(g, h): partial(phi, h)}
    found = tuple(replace(e, right=_renamed(e.right, value)) for e in proof.equations)
    return replace(proof, equations=found)


def _renamed(expr: Expr, values: dict[Expr, Expr]) -> Expr:
    """Return an expression with other names, and nothing simplified."""
    args = tuple(values.get(arg) or _renamed(arg, values) for arg in expr.args)
    return node(expr.op, *args) if args else expr
