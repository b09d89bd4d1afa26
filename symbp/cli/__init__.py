"""The command line: options, calls, exit codes; no mathematics.

Exit status: 0 done, 1 a certificate fails, 2 the input is wrong.
"""

import click

from symbp import __version__
from symbp.cli import derivation, learning, starting
from symbp.cli.landscape import landscape


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="symbp")
def main() -> None:
    """Derive backpropagation step by step, judge it numerically, write it as a NumPy module.

    SPEC is a text file in the language of `docs/language.md`: reading it never runs code.  The
    one form that does run code is FILE.py:NAME, a SymPy expression or a Program named NAME.
    """


for _command in (
    derivation.derive,
    derivation.show,
    derivation.cost,
    derivation.explain,
    derivation.check,
    starting.init,
    starting.gain,
    learning.train,
    landscape,
):
    main.add_command(_command)
