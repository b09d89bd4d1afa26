"""What a module has beyond the functions of every module, because an option or the spec asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symbp.emit.sweeps import Function


@dataclass(frozen=True)
class Asked:
    """Functions, public and private, and what comes with them.

    constants: their lines.  called: the fixed texts that the functions call by their names.
    helpers: fixed texts besides, of the end of the module.  flags: what templates ask.
    """

    functions: list[Function] = field(default_factory=list)
    private: list[Function] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    helpers: list[str] = field(default_factory=list)
    flags: dict[str, Any] = field(default_factory=dict)


def together(parts: Sequence[Asked]) -> Asked:
    """Return the parts as one; a flag that none of them has is empty."""
    made = Asked(flags=dict.fromkeys(("watch", "watched_inputs", "beside", "degrees"), ""))
    for part in parts:
        made.functions.extend(part.functions)
        made.private.extend(part.private)
        made.constants.extend(part.constants)
        made.called.update(part.called)
        made.helpers.extend(part.helpers)
        made.flags.update(part.flags)
    return made
