"""Statements that take apart what is handed on as one: parameters by fields, tapes by places."""

from collections.abc import Sequence
from itertools import islice

from symbp.emit.fields import Fields
from symbp.emit.text import broken


def unpacked(names: Sequence[str], group: str) -> str:
    """Return the statement that takes a tuple apart, `_` for what is not read."""
    if len(names) == 1:
        return f"({names[0]},) = {group}"
    flat = f"{', '.join(names)} = {group}"
    if len(flat) <= 96:
        return flat
    return "\n".join(broken("(", names, f") = {group}"))


def fields_unpacked(names: Sequence[str], group: str, fields: Fields) -> list[str]:
    """Return the statements that take parameters, or their tangents, out of `Params`.

    names: what each is called, `_` where it is not read.
    """
    if fields.families:
        return _members_unpacked(names, group, fields)
    read = [name for name in names if name != "_"]
    if len(read) < len(names) / 2:
        places = [field.reads(group)[0] for field in fields.all]
        return [f"{own} = {p}" for own, p in zip(names, places, strict=True) if own != "_"]
    return [unpacked(names, group)] if read else []


def _members_unpacked(names: Sequence[str], group: str, fields: Fields) -> list[str]:
    lines: list[str] = []
    rest = iter(names)
    for field in fields.all:
        own = [*islice(rest, len(field.members))]
        pairs = zip(own, field.reads(group), strict=True)
        used = [f"{name} = {place}" for name, place in pairs if name != "_"]
        few = field.first is None or len(used) < len(own) / 2
        lines += used if few else [unpacked(own, f"{group}.{field.name}")]
    return lines
