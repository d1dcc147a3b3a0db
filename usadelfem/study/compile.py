"""Kernels compiled ahead of time: what otherwise happens at the first solve of each kind."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..checks import choice, integer
from ..device.contact import Reservoir
from ..device.device import Device
from ..device.interface import Tunnel
from ..device.material import normal_metal, superconductor
from ..mesh.layers import interval
from ..observe.currents import charge_current
from ..observe.density_of_states import density_of_states
from ..observe.free_energy import free_energy
from ..observe.spin_density import spin_density
from ..solve.equilibrium import solve_equilibrium
from ..solve.spectrum import solve_spectrum

SECTORS = ("spinless", "collinear", "full")


def compile_kernels(sectors: tuple[str, ...] = SECTORS, workers: int | None = None) -> dict[str, float]:
    """Compile the kernels of some spin structures, in processes at the same time; they are kept for all later ones.

    Parameters
    ----------
    sectors
        "spinless" (nothing depends on spin), "collinear" (one spin axis), "full" (several).
    workers
        Number of processes; None: one for each core.

    Returns
    -------
    dict
        Seconds that each took.

    Raises
    ------
    ValueError
        If there is no such spin structure, or less than one worker.
    """
    for sector in sectors:
        choice("sector", sector, SECTORS)
    cores = os.cpu_count() or 1
    count = min(len(sectors), cores if workers is None else integer("workers", workers, least=1))
    with ProcessPoolExecutor(count, get_context("spawn")) as pool:
        return dict(zip(sectors, pool.map(_compile, sectors), strict=True))


def _compile(sector: str) -> float:
    """Solve small devices with equilibrium, real energies, gaps, barriers and observables; returns the seconds."""
    start = perf_counter()
    if sector == "full":
        metal = normal_metal(exchange=_rotating)
    else:
        metal = normal_metal(exchange=(0.0, 0.0, 1.0 if sector == "collinear" else 0.0))
    mesh = interval({"S": 1.0, "N": 1.0}, size=0.5)
    contacts = {"left": Reservoir(gap=1.0), "right": Reservoir(gap=1.0, phase=1.0)}
    device = Device(mesh, {"S": superconductor(Tc=0.5), "N": metal}, contacts, {"S_N": Tunnel(conductance=1.0)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two cells
        eq = solve_equilibrium(device, 0.2, order=1, frequencies=2)
        charge_current(eq).through("right")
        spin_density(eq)
        free_energy(eq)
        density_of_states(solve_spectrum(eq, [0.5], broadening=0.1))
    return perf_counter() - start


def _rotating(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([np.cos(x[0]), np.sin(x[0]), 0 * x[0]])
