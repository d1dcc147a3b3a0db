"""The command line: `usadelfem`, or `python -m usadelfem`."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import SolveError, WorkerLostError
from ..version import __version__
from . import check, compile, demo, info

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS = (demo, info, check, compile)
WRONG = 2  # exit code of what cannot be done, as of wrong arguments


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments ask for.

    Parameters
    ----------
    arguments
        Words after the name of the program; None: those of this process.

    Returns
    -------
    int
        Exit code: 0; 1 if `check` has something to say against a script or a result; 2 if what is asked for cannot be
        done, with one line on the standard error that says why. Wrong arguments, `--help` and `--version` end the
        process (SystemExit), the former with 2.
    """
    given = _parser().parse_args(arguments)
    try:
        with _short_warnings(given.command):
            code: int = given.run(given)
            sys.stdout.flush()
            return code
    except BrokenPipeError:  # of `| head`: nobody reads on, and nothing can be said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError, TypeError, SolveError, WorkerLostError) as error:
        print(f"usadelfem {given.command}: {one_line(error)}", file=sys.stderr)
        return WRONG


def one_line(error: object) -> str:
    """A message without its line breaks."""
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="usadelfem", description="Finite elements for the Usadel equation of diffusive superconducting hybrids."
    )
    parser.add_argument("--version", action="version", version=f"usadelfem {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for command in COMMANDS:
        name, summary = command.__name__.rpartition(".")[2], command.SUMMARY
        own = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser


@contextmanager
def _short_warnings(command: str) -> Iterator[None]:
    """Warnings as one line each, without a line of this package's sources."""

    def show(
        message: Any, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None,
        line: str | None = None,
    ) -> None:  # fmt: skip
        print(f"usadelfem {command}: warning: {one_line(message)}", file=sys.stderr)

    before, warnings.showwarning = warnings.showwarning, show
    try:
        yield
    finally:
        warnings.showwarning = before
