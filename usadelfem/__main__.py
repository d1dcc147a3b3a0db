"""Commands: `python -m usadelfem compile` compiles all kernels ahead of time."""

import argparse

from .study.compile import SECTORS, compile_kernels


def main() -> None:
    """Run the command that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m usadelfem", description="Finite elements for the Usadel equation.")
    commands = parser.add_subparsers(dest="command", required=True)
    compiling = commands.add_parser("compile", help="compile the kernels, which else happens at the first solve")
    compiling.add_argument("sectors", nargs="*", metavar="sector", help=f"some of {', '.join(SECTORS)}; all if none")
    compiling.add_argument("--workers", type=int, help="number of processes; one for each core if not given")
    given = parser.parse_args()
    try:
        seconds = compile_kernels(tuple(given.sectors) or SECTORS, given.workers)
    except ValueError as error:
        parser.error(str(error))
    for sector, needed in seconds.items():
        print(f"{sector}: {needed:.0f} s")


if __name__ == "__main__":
    main()
