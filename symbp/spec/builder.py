"""From the parser's reductions to the syntax tree; called bottom up, so it never recurses."""

from fractions import Fraction
from typing import Any, cast

from lark import Token, Transformer, v_args

from symbp.errors import Span, SpecError, did_you_mean, printable
from symbp.spec import limits, syntax
from symbp.spec.glyphs import plain_name, plain_operator, plain_superscript
from symbp.spec.syntax import Node


def token_span(token: Token) -> Span:
    """Return where a token stands."""
    return Span(token.line or 1, token.column or 1, len(token))


def _name(token: Token) -> str:
    name = plain_name(token)
    if len(name) > limits.NAME_LENGTH:
        raise SpecError(
            f"a name of {len(name)} characters; at most {limits.NAME_LENGTH} are read",
            token_span(token),
            "give it a shorter name",
        )
    return name


@v_args(inline=True)
class Builder(Transformer[Token, Any]):
    """One method a rule of the grammar; what the children became comes in, a node goes out."""

    def spec(self, *lines: syntax.Line) -> tuple[syntax.Line, ...]:
        """Collect the lines."""
        return lines

    def expression(self, node: Node) -> Node:
        """Return the node of an expression that stands alone."""
        return node

    # Lines

    def model_line(self, _: Token, name: Token, title: Token | None = None) -> syntax.ModelLine:
        """Take the quotes off the title, where there is one."""
        return syntax.ModelLine(_name(name), title and title[1:-1], token_span(name))

    def size_line(self, word: Token, *sizes: syntax.Size) -> syntax.SizeLine:
        """Collect the sizes."""
        return syntax.SizeLine(sizes, token_span(word))

    def size(self, member: syntax.Member, value: Node | None) -> syntax.Size:
        """Accept a whole number from 1."""
        if value is None:
            return syntax.Size(member, None, member.span)
        if isinstance(value, syntax.Num) and value.value.denominator == 1 and value.value > 0:
            return syntax.Size(member, int(value.value), member.span)
        raise SpecError(
            f"the size {member.name} is not a whole number from 1",
            value.span,
            f"write `size {member.name} = 10`, or `size {member.name}` to leave it symbolic",
        )

    def batch_line(self, _: Token, word: Token) -> syntax.BatchLine:
        """Accept `mean` or `sum`."""
        match str(word):
            case "mean" | "sum" as mode:
                return syntax.BatchLine(mode, token_span(word))
        near = did_you_mean(word, ("mean", "sum"))
        raise SpecError(
            f"examples are joined by `mean` or `sum`, not by `{word}`",
            token_span(word),
            f"did you mean `batch {near}`?" if near else "write `batch mean` or `batch sum`",
        )

    def declare_line(
        self,
        kind: Token,
        members: tuple[syntax.Member, ...],
        shape: syntax.Shape | None,
        *options: syntax.Init | Token,
    ) -> syntax.DeclareLine:
        """Accept each option once, and options of a parameter alone."""
        inits = [option for option in options if isinstance(option, syntax.Init)]
        words = [option for option in options if isinstance(option, Token)]
        if options and kind != "param":
            span = inits[0].span if inits else token_span(words[0])
            raise SpecError(
                f"`{kind}` takes no option, only `param` does",
                span,
                "remove the option, or declare a `param`",
            )
        extras: list[syntax.Init | Token] = [*inits[1:], *words[1:]]
        for extra in extras:
            span = token_span(extra) if isinstance(extra, Token) else extra.span
            raise SpecError("this option is given twice", span, "remove one of the two")
        return syntax.DeclareLine(
            cast(syntax.Kind, str(kind)),
            members,
            shape,
            inits[0] if inits else None,
            bool(words),
            token_span(kind),
        )

    def op_line(self, _: Token, name: Token, args: tuple[Token, ...], body: Node) -> syntax.OpLine:
        """Make the arguments references, which carry their spans."""
        return syntax.OpLine(_name(name), tuple(map(self.ref, args)), body, token_span(name))

    def output_line(self, _: Token, value: syntax.Ref) -> syntax.OutputLine:
        """Take the one name."""
        return syntax.OutputLine(value, value.span)

    def wrt_line(self, word: Token, names: tuple[syntax.Ref, ...]) -> syntax.WrtLine:
        """Collect the names."""
        return syntax.WrtLine(names, token_span(word))

    def assign_line(self, target: syntax.Ref, expr: Node) -> syntax.AssignLine:
        """Join the two sides."""
        return syntax.AssignLine(target, expr, target.span)

    def for_line(self, word: Token, *parts: Any) -> syntax.ForLine:
        """Collect the lines of the loop."""
        index, _, start, _, stop, *body = parts
        return syntax.ForLine(_name(index), start, stop, tuple(body), token_span(word))

    # Parts of lines

    def members(self, *members: syntax.Member) -> tuple[syntax.Member, ...]:
        """Collect declared names."""
        return members

    def member(
        self, name: Token, members: syntax.Range | None, *more: syntax.Range
    ) -> syntax.Member:
        """Make a declared name, with at most one range."""
        if more:
            raise SpecError(
                f"`{printable(name)}` is declared with {len(more) + 1} ranges, and one is read",
                more[0].span,
                f"declare a family for each number: `{printable(name)}_1[1..K]`",
            )
        return syntax.Member(_name(name), members, token_span(name))

    def range(self, start: Node, dots: Token, stop: Node) -> syntax.Range:
        """Make the range of a family."""
        return syntax.Range(start, stop, token_span(dots))

    def names(self, *names: Token) -> tuple[Token, ...]:
        """Collect names."""
        return names

    def refs(self, *refs: syntax.Ref) -> tuple[syntax.Ref, ...]:
        """Collect references."""
        return refs

    def shape(self, first: Any, *rest: Any) -> syntax.Shape:
        """Make a shape out of `D`, `m x n` or `one_hot D`."""
        one_hot = isinstance(first, Token)
        span = token_span(first) if isinstance(first, Token) else first.span
        parts = (*(() if one_hot else (first,)), *rest)
        dims = tuple(part for part in parts if not isinstance(part, Token | None))
        for dim in dims:
            if isinstance(dim, syntax.Num) and (dim.value.denominator != 1 or dim.value < 1):
                raise SpecError(
                    "a dimension is a whole number from 1, or a size",
                    dim.span,
                    "declare it: `size n`, or write the number",
                )
        return syntax.Shape(dims, one_hot, span)

    def init(self, _: Token, name: Token, args: tuple[Node, ...] | None) -> syntax.Init:
        """Make the way a parameter starts."""
        return syntax.Init(_name(name), args or (), token_span(name))

    def symmetric(self, word: Token) -> Token:
        """Keep the word."""
        return word

    # Expressions

    def binary(self, left: Node, operator: Token, right: Node) -> syntax.Binary:
        """Make an operation of two values."""
        return syntax.Binary(plain_operator(operator), left, right, token_span(operator))

    def negative(self, sign: Token, arg: Node) -> syntax.Unary:
        """Make a negative value."""
        return syntax.Unary("-", arg, token_span(sign))

    def transpose(self, arg: Node, sign: Token) -> syntax.Transpose:
        """Make a transpose."""
        return syntax.Transpose(arg, token_span(sign))

    def superscript(self, base: Node, sign: Token) -> syntax.Binary:
        """Make a power out of `A²` or `A⁻¹`."""
        span = token_span(sign)
        digits = plain_superscript(sign)
        limits.check_number(digits.removeprefix("-"), span)
        exponent: Node = syntax.Num(Fraction(digits.removeprefix("-")), span)
        if digits.startswith("-"):
            exponent = syntax.Unary("-", exponent, span)
        return syntax.Binary("^", base, exponent, span)

    def call(self, name: Token, *parts: Any) -> syntax.Call:
        """Make a call; a token among the parts is the word `rows`, None is nothing."""
        args = tuple(part for part in parts if not isinstance(part, Token | None))
        rows = any(isinstance(part, Token) for part in parts)
        return syntax.Call(_name(name), args, rows, token_span(name))

    def sum_over(self, name: Token, body: Node, *header: Any) -> syntax.SumOver:
        """Make `sum(body for k in 1..K)`; only a sum is taken over a family."""
        _, index, _, start, _, stop = header
        if name != "sum":
            raise SpecError(
                f"`{printable(name)}` is not taken over a family",
                token_span(name),
                f"only `sum(… for {printable(index)} in 1..K)` is",
            )
        return syntax.SumOver(body, _name(index), start, stop, token_span(name))

    def norm(self, bar: Token, arg: Node, _: Token) -> syntax.Call:
        """Make a call of `norm2` out of the bars."""
        return syntax.Call("norm2", (arg,), False, token_span(bar))

    def arguments(self, *args: Node) -> tuple[Node, ...]:
        """Collect arguments."""
        return args

    def number(self, digits: Token) -> syntax.Num:
        """Make an exact number."""
        span = token_span(digits)
        limits.check_number(digits, span)
        return syntax.Num(Fraction(digits), span)

    def ref(self, name: Token) -> syntax.Ref:
        """Make a name."""
        return syntax.Ref(_name(name), None, token_span(name))

    def element(self, name: Token, *parts: Any) -> syntax.Ref:
        """Make a name with an index; what is no token among the parts is an index."""
        index = tuple(part for part in parts if not isinstance(part, Token))
        start, close = token_span(name), parts[-1]
        one_line = close.line == start.line
        length = close.end_column - start.column if one_line else start.length
        return syntax.Ref(_name(name), index, Span(start.line, start.column, length))
