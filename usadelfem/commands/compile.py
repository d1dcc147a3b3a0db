"""`compile`: kernels ahead of time."""

from __future__ import annotations

import argparse

from ..study.compile import SECTORS, compile_kernels

SUMMARY = "compile the kernels, which else happens at the first solve"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what may follow the name of the command."""
    parser.add_argument("sectors", nargs="*", metavar="sector", help=f"some of {', '.join(SECTORS)}; all if none")
    parser.add_argument("--workers", type=int, help="number of processes; one for each core if not given")


def run(given: argparse.Namespace) -> int:
    """Compile, and print the seconds of each spin structure."""
    for sector, needed in compile_kernels(tuple(given.sectors) or SECTORS, given.workers).items():
        print(f"{sector}: {needed:.0f} s")
    return 0
