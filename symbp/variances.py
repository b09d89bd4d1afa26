"""How variances travel through a network, and which variance of its weights keeps them, to read."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from symbp.derive.proof import Equation, Proof
from symbp.emit.article import Format
from symbp.emit.document import Section, document
from symbp.emit.math import unicode, writer
from symbp.emit.names import Names
from symbp.emit.pieces import BREAK
from symbp.emit.reasoning import sides_of
from symbp.ir import Dim, Expr, Sum, is_variable, name_of, symbol, variables, walk
from symbp.moments.choice import Choice, Gain, second_of
from symbp.moments.known import Product
from symbp.moments.lemmas import LETTERS, lemmas
from symbp.moments.line import Moments
from symbp.moments.start import compromise, exact, over, start
from symbp.moments.terms import size
from symbp.moments.travel import Travel
from symbp.ops.expectation import Moment, mean, one_entry, square, variance
from symbp.ops.linear import add, is_zero, scale
from symbp.ops.product import product
from symbp.ops.rewrite import resize, substitute
from symbp.report import page_names

_DRAWN = (
    "The entries of a parameter are drawn independently of each other, with mean zero; vectors "
    "with `init zero` start at zero."
)
_WIDE = (
    "Layers are wide: the entries of an array are alike and independent, and a sum over them with "
    "weights of its own is a normal variable (the central limit theorem)."
)
_INPUTS = "Inputs are independent, with mean zero and the variance Var[{0}]{1}."
_BACK = (
    "On the way back, the transposed weights are taken as independent of the values of the forward "
    "pass, as in 001 (7.32) and 003: so they are where the output is narrow beside the layers."
)
_SHARED = (
    "What multiplies by the same weights more than once, {0}, is taken as independent where it is "
    "correlated."
)
STAY_EQUAL = (
    "start at zero: the units of a layer compute the same and get the same gradient, so they stay "
    "equal (001 problem 7.15)"
)

_CONDITIONS = (
    "The forward condition keeps the variance of pre-activations, the backward one that of their "
    "derivatives, and the compromise takes the mean of both counts."
)
_THROUGH = (
    "Written out from the inputs and from the derivative at the output, as the product over the "
    "layers of 003."
)
_LARGEST = 120
"""A product of more parts than these is not written out."""
_UNIT = "Functions that are no multiples of their arguments are taken at the variance 1."


def text(found: Travel, chosen: Sequence[Choice], format: Format = "unicode") -> str:
    """Return the derivation of the variances as text: Unicode, a LaTeX article, or Markdown."""
    names = page_names(found.program)
    title = f"{found.program.title or found.program.name}: initialisation"
    return document(title, sections(found, chosen, names), format, names=names)


def sections(found: Travel, chosen: Sequence[Choice], names: Names) -> list[Section]:
    """Return the sections of the reading."""
    made = [Section("Assumptions", "\n\n".join(_assumptions(found, names)))]
    made.append(Section("Lemmas", "", proof=_proof(lemmas(), LETTERS)))
    made += _sweep("Forward", found.forward, found, names)
    made += _sweep("Backward", found.backward, found, names)
    made += _sweep("Gradients of the parameters", found.gradients, found, names)
    if chosen:
        equations = [step for choice in chosen for step in conditions(choice, names, found)]
        made.append(Section("The variance that keeps variances", _kept(chosen, names),
                            proof=_proof(equations, found.letters)))  # fmt: skip
    through = through_all(found)
    if through:
        made.append(Section("Through all layers", _THROUGH, proof=_proof(through, found.letters)))
    zero = [v for v in found.program.params if v.rank == 2 and _is_zero(found, v)]
    if zero:
        listed = ", ".join(unicode(one_entry(v), names) for v in zero)
        made.append(Section("Warnings", f"The entries of {listed} {STAY_EQUAL}."))
    with_init = at_start(found)
    if with_init:
        made.append(Section("With the spec's init", "", proof=_proof(with_init, found.letters)))
    return made


def lines_of(found: Travel, chosen: Sequence[Choice]) -> Iterator[tuple[str, str, str]]:
    """Yield each equation as text, with its law: left, right, law."""
    names = page_names(found.program)
    write = writer("unicode", names)
    for section in sections(found, chosen, names):
        for step in section.proof.equations if section.proof else ():
            sides = sides_of(step, section.proof.letters if section.proof else ())
            if sides is not None:
                left, right = (write(side).replace(BREAK, " ") for side in sides)
                yield left, right, step.reason


def _proof(equations: Iterable[Equation], letters: tuple[str, ...]) -> Proof:
    steps = tuple(equations)
    return Proof(steps[0].left, steps, letters)


def _sweep(title: str, lines: Sequence[Moments], found: Travel, names: Names) -> list[Section]:
    """Return a section for the lines of a sweep, nothing where it has none."""
    if not lines:
        return []
    missing = [
        f"The moments of {unicode(line.target, names)} are not derived: {line.missing}."
        for line in lines
        if line.missing
    ]
    steps = [replace(step, loops=line.loops) for line in lines for step in line.equations]
    proof = _proof(steps, found.letters) if steps else None
    return [Section(title, "\n\n".join(missing), proof=proof)]


def _assumptions(found: Travel, names: Names) -> list[str]:
    inputs = [unicode(one_entry(v), names) for v in found.program.inputs]
    made = [_DRAWN, _WIDE]
    if inputs:
        normal = "; a function of them alone takes them as normal" if _applied(found) else ""
        made.insert(1, _INPUTS.format("], Var[".join(inputs), normal))
    if found.backward:
        made.append(_BACK)
    shared = [unicode(one_entry(v), names) for v in found.program.params if _is_shared(found, v)]
    if shared:
        made.append(_SHARED.format(", ".join(shared)))
    taken = [unicode(v, names) for v in found.knowledge.taken]
    if taken:
        made.append(f"{', '.join(taken)}: taken as normal, though no sum of many entries.")
    return made


def _is_zero(found: Travel, var: Expr) -> bool:
    """Tell whether a parameter is zero at the start."""
    return is_zero(start(found.program, var))


def _applied(found: Travel) -> bool:
    """Tell whether an integral or a closed form is of an input itself."""
    inputs = {one_entry(v) for v in found.program.inputs}
    return any(var in inputs for _, var in found.knowledge.integrals.values())


def _is_shared(found: Travel, var: Expr) -> bool:
    """Tell whether several lines, or several turns of a loop, multiply by a weight."""
    weight, reads = one_entry(var), 0
    for line in found.forward:
        for one in found.knowledge.known(line.target).products:
            turns = bool(line.loops) and not symbol(one.weight).index
            reads += (1 + turns) * (one.weight is weight)
    return reads > 1


def _kept(chosen: Sequence[Choice], names: Names) -> str:
    """Return what is said of the conditions."""
    rows = list(dict.fromkeys(row for choice in chosen for row in _numbers(choice, names)))
    wide = max((len(left) for left, _ in rows), default=0)
    lines = "\n".join(f"    {left:<{wide}} = {right}" for left, right in rows)
    unit = "" if all(choice.scales for choice in chosen) else _UNIT
    gains = (gain for choice in chosen for gain in (choice.forward, choice.backward))
    missing = dict.fromkeys(f"{gain.missing}." for gain in gains if gain.missing)
    words = " ".join(filter(None, (_CONDITIONS, unit, *missing)))
    return "\n\n".join(filter(None, (words, lines)))


def _numbers(choice: Choice, names: Names) -> Iterator[tuple[str, str]]:
    """Yield the expectations that have no closed form, with their numbers at variance 1."""
    for gain in (choice.forward, choice.backward):
        if not gain.known and not gain.missing:
            at = unicode(choice.before, names)
            yield unicode(gain.moment, names), f"{float(gain.exact):.10g} at Var[{at}] = 1"


def conditions(choice: Choice, names: Names, found: Travel) -> list[Equation]:
    """Return the variances of a weight that its two conditions ask for, and the compromise."""
    left = variance(choice.weight)
    before, line = unicode(choice.before, names), unicode(choice.line, names)
    named = is_variable(choice.before)
    centred = named and found.knowledge.known(choice.before).centred
    spread = variance(choice.before) if centred else mean(square(choice.before))
    before = before if named else f"({before})"
    ahead = f"forward: Var[{line}] = {unicode(spread, names)}"
    back = f"backward: Var[∂ℓ/∂{before}] = Var[∂ℓ/∂{line}]"
    both = _both(choice)
    made = [
        Equation(left, _kept_by(choice.forward, choice.fan_in), ahead),
        Equation(left, _kept_by(choice.backward, choice.fan_out), back),
        Equation(left, both, "compromise"),
    ]
    return [replace(step, loops=choice.loops, alone=True) for step in made]


def _both(choice: Choice) -> Expr:
    """Return the compromise, with expectations by name where they have no closed form."""
    gains = (choice.forward, choice.backward)
    if all(gain.known for gain in gains):
        whole = (choice.forward.whole, choice.backward.whole)
        return compromise(whole, choice.fan_in, choice.fan_out)
    counts = zip(gains, (choice.fan_in, choice.fan_out), strict=True)
    return scale(2, over(add(*(_counted(gain, dim) for gain, dim in counts))))


def _counted(gain: Gain, dim: Dim) -> Expr:
    """Return gain · count."""
    one = exact(gain.exact) if gain.known else gain.moment
    return scale(gain.shares, product([(size(dim), ()), (one, ())], ()))


def _kept_by(gain: Gain, dim: Dim) -> Expr:
    """Return 1 / (gain · count)."""
    return over(_counted(gain, dim))


def at_start(found: Travel) -> list[Equation]:
    """Return what each pre-activation and each derivative is with the spec's own `init`."""
    made = []
    for line in (*found.forward, *found.backward):
        products = found.knowledge.known(line.target).products
        if line.missing or not products:
            continue
        whole = substitute(_with_values(line.second, found), _spreads(products, found))
        left = variance(line.target) if is_zero(line.mean) else mean(square(line.target))
        inits = {found.program.init_of(v).kind for v in _weights(found, products)}
        made.append(Equation(left, whole, f"init {', '.join(sorted(inits))}", loops=line.loops))
    return made


def through_all(found: Travel) -> list[Equation]:
    """Return the second moments of the weights' gradients in those of the two ends.

    Nothing where a line is no product of what it reads, or the products grow too long.
    """
    if found.program.is_looped or found.start is None:
        return []
    values: dict[Expr, Expr] = {}
    for line in (*found.forward, *found.backward):
        if line.target is one_entry(found.start):
            continue
        second = substitute(line.second, values)
        if line.missing or (isinstance(second.op, Sum) and len(second.args) > 1):
            return []
        values[variance(line.target) if is_zero(line.mean) else mean(square(line.target))] = second
    made = []
    for line in found.gradients:
        whole = substitute(line.second, values)
        if line.expr.rank == 2 and whole.size <= _LARGEST and not _integrals(whole, found):
            left = variance(line.target) if is_zero(line.mean) else mean(square(line.target))
            made.append(Equation(left, whole, "every layer put in"))
    return made


def _integrals(expr: Expr, found: Travel) -> bool:
    return any(part in found.knowledge.integrals for part in walk(expr))


def _with_values(expr: Expr, found: Travel) -> Expr:
    """Return an expression with the second moments of activations by those of their arguments."""
    put: dict[Expr, Expr] = {}
    for part in walk(expr):
        if isinstance(part.op, Moment) and part not in found.knowledge.integrals:
            (base,) = variables(part) or (None,)
            if base is not None and part is mean(square(base)):
                value = second_of(found, base)
                put |= {part: value} if value is not None else {}
    return substitute(expr, put)


def _spreads(products: Iterable[Product], found: Travel) -> dict[Expr, Expr]:
    """Return the variance of each weight that is read, at its own place in a family."""
    made = {}
    for one in products:
        for var in _weights(found, [one]):
            place = symbol(one.weight).index
            letter = found.program.families[name_of(var)].letter if place else None
            spread = start(found.program, var)
            moved = resize(spread, {letter: place[0]}) if place else spread
            made[variance(one.weight)] = moved
    return made


def _weights(found: Travel, products: Iterable[Product]) -> list[Expr]:
    names = {name_of(one.weight) for one in products}
    return [v for v in found.program.params if name_of(v) in names]
