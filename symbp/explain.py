"""What is printed of a rule: its proof in indices, or the list of the rules there are."""

from collections.abc import Mapping
from itertools import groupby

from symbp.derive.argument import arguments
from symbp.derive.dense import needs_lengths
from symbp.derive.derivation import Derivation, Step
from symbp.derive.general import General, statements
from symbp.derive.proof import prove
from symbp.derive.topics import RESULT, Topic, topics
from symbp.emit.article import Format
from symbp.emit.document import Section, document
from symbp.emit.entries import whole
from symbp.emit.math import MATH, Names, equation, plain, unicode, writer
from symbp.errors import SymbpError, did_you_mean, printable
from symbp.ir import Expr

LEGEND = "δ is 1 where its two indices are equal and 0 elsewhere; Σ is the sum over its indices."


def explanation(rule: str | None, format: Format = "unicode") -> str:
    """Return the proof of a rule, or the list of the rules, as text.

    rule: a name, a line such as `Z = A B`, or its right side; None for the list.
    Raises SymbpError where there is no such rule.
    """
    if rule is None:
        return document("The rules that `symbp explain RULE` shows", _listed(), format)
    found = _asked(rule)
    if isinstance(found, General):
        title, proofs = f"{found.name}: {found.given}", found.proofs
    else:
        title = f"{found.name}: {equation(found.line.target, found.line.expr)}"
        proofs = tuple(prove([found.line], var, RESULT) for var in found.wrt)
    parts = [Section(_derivative(proof.proved, MATH), proof=proof) for proof in proofs]
    return document(title, [Section("In indices", LEGEND), *parts], format)


def proof_sections(derivation: Derivation, names: Names) -> list[Section]:
    """Return the proofs of a derivation's steps, each with the derivatives that it serves.

    Raises SymbpError for a program with loops, whose adjoints come along turns that are not known.
    """
    if derivation.program.is_looped:
        what, help = needs_lengths("--proof", derivation.program)
        raise SymbpError(what, f"{help}; `symbp explain` proves the rules for any length")
    found = [Section("Proofs", LEGEND)]
    for argument in arguments(derivation):
        served = [_derivative(expr, names) for expr in argument.serves]
        others = f"In the same way: {', '.join(served[1:])}." if served[1:] else ""
        found.append(Section(served[0], others, proof=argument.proof))
    return found


def _derivative(expr: Expr, names: Names) -> str:
    return writer("unicode", names)(whole(expr))


def _asked(rule: str) -> Topic | General:
    spelled = _spelled()
    found = spelled.get(_plain(rule)) or spelled.get(_plain(rule).lower())
    if found is None:
        near = did_you_mean(_plain(rule), spelled)
        help = f"did you mean `{near}`?" if near else "`symbp explain` alone lists the rules"
        raise SymbpError(f"no rule {printable(rule)!r}", help)
    return found


def _spelled() -> Mapping[str, Topic | General]:
    """Return the rules by all their spellings; a rule's own name before what others may be."""
    found: dict[str, Topic | General] = {**topics(), **statements()}
    for topic in tuple(found.values()):
        spellings = list(topic.also)
        if isinstance(topic, Topic):
            expr, target = topic.line.expr, topic.line.target
            spellings += [unicode(expr), plain(expr), equation(target, expr)]
            spellings.append(equation(target, expr, "plain"))
        for spelling in spellings:
            found.setdefault(_plain(spelling), topic)
    return found


def _plain(text: str) -> str:
    return " ".join(text.replace("@", " ").split())


def _listed() -> list[Section]:
    found = []
    for group, members in groupby(topics().values(), key=lambda topic: topic.group):
        steps = [_step(topic) for topic in members]
        found.append(Section(group, "", tuple(steps)))
    lines = [f"{statement.name}: {statement.given}." for statement in statements().values()]
    return [*found, Section("Derivatives as such", "\n\n".join(lines))]


def _step(topic: Topic) -> Step:
    line = topic.line
    return Step(line.target, line.expr, line.expr, topic.name)
