"""`demo`: a junction from its mesh to a picture in ParaView, without any file but those of the package."""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path

import numpy as np

from ..device.contact import Reservoir
from ..device.device import Device
from ..device.material import ferromagnet
from ..export.vtk import write_vtk
from ..mesh.read import read_mesh
from ..observe.currents import charge_current
from ..observe.pair_amplitude import pair_amplitude
from ..observe.spin_density import spin_density
from ..solve.equilibrium import solve_equilibrium
from ..solve.resistance import normal_resistance

SUMMARY = "solve an SFS junction in 2D, print its current-phase relation, write a file for ParaView"
MESH = "sfs.msh"
TEMPERATURE, EXCHANGE = 0.1, 3.0  # in units of the gap
PHASES = np.linspace(0, np.pi, 9)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what may follow the name of the command."""
    parser.add_argument("folder", nargs="?", default="output", type=Path, help="where files go; 'output' if not given")


def run(given: argparse.Namespace) -> int:
    """Solve, print and write."""
    given.folder.mkdir(parents=True, exist_ok=True)
    mesh = given.folder / MESH
    mesh.write_bytes((files(__package__) / MESH).read_bytes())
    device = junction(mesh)
    resistance = normal_resistance(device, "left", "right")
    print(f"SFS junction, exchange field {EXCHANGE:g}, temperature {TEMPERATURE:g} in units of the gap")
    print(f"\n{'phase/pi':>10}{'I':>12}{'e I R_N/gap':>14}", flush=True)
    currents = []
    for phase in PHASES:
        eq = solve_equilibrium(device.with_phase("right", phase), TEMPERATURE)
        currents.append(round(float(charge_current(eq).through("right")), 8) + 0.0)  # no -0.0
        print(f"{phase / np.pi:10.3f}{currents[-1]:12.5f}{currents[-1] * resistance:14.5f}", flush=True)
    eq = solve_equilibrium(device.with_phase("right", np.pi / 2), TEMPERATURE)
    path = write_vtk(given.folder / "sfs.vtu", charge_current(eq), pair_amplitude(eq), spin_density(eq))
    state = "0" if currents[len(currents) // 2] > 0 else "pi"
    print(f"\nThe current {'follows' if state == '0' else 'opposes'} the phase: a {state} junction.")
    print(f"{path}: current, pair amplitudes and spin density at the phase pi/2, for ParaView")
    print(f"{mesh}: the mesh, to go on with: uf.read_mesh({str(mesh)!r})")
    return 0


def junction(mesh: Path) -> Device:
    """The junction of the README, from a mesh file with the region weak_link between left and right."""
    return Device(
        read_mesh(mesh),
        materials={"weak_link": ferromagnet(D=1.0, exchange=(0, 0, EXCHANGE))},
        contacts={"left": Reservoir(gap=1.0), "right": Reservoir(gap=1.0)},
    )
