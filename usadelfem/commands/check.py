"""`check`: what there is to say against a script before it solves, or against a saved result."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import FileError
from ..space.space import check_order
from . import script
from .saved import check_result

SUMMARY = "look at the devices of a script without solving, or at a saved result"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what may follow the name of the command."""
    parser.add_argument("file", type=Path, help="a script (.py), which is run up to its first solve, or a result (.h5)")
    parser.add_argument("arguments", nargs="*", help="arguments of the script; after -- if they begin with a dash")
    parser.add_argument("--temperature", type=float, help="of devices that have none, in their unit")
    parser.add_argument("--order", type=int, default=2, help="of elements, 1 or 2, where no solve says it; 2")


def run(given: argparse.Namespace) -> int:
    """Check the file and print what was found; 1 if something should be changed."""
    check_order(given.order)
    kind = given.file.suffix.lower()
    if not given.file.is_file():
        raise FileNotFoundError(f"there is no file {str(given.file)!r}")
    if kind == ".py":
        return script.check_script(given.file, given.arguments, given.temperature, given.order)
    if kind == ".h5":
        return check_result(given.file)
    raise FileError(
        f"cannot check {str(given.file)!r}: allowed are a script (.py) and a saved result (.h5); of a mesh file "
        "`usadelfem info` tells what it holds"
    )
