"""Physics does not depend on the units that it is described in: one device in metres and joules, or in any other."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import usadelfem as uf
from usadelfem.numerics.linear import available_solvers

pytestmark = [
    pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning"),  # small meshes
]

# Length, energy and density of states in the unit of which the device is described.
SYSTEMS = [
    (1.0, 1.0, 1.0), (1e-8, 1.0, 1.0), (3e-9, 0.2, 1.0), (1e-10, 1e-22, 1e47), (1e-8, 1.6e-22, 1e46), (1.0, 1.0, 1e-17),
    (1.0, 1.0, 1e-40), (10.0, 1.4, 1.0), (1e3, 1e4, 1.0), (1e-3, 1e-3, 1e3), (1e-6, 1e-19, 1e20), (1e-10, 1.0, 1e-40),
]  # fmt: skip
TEMPERATURE = 0.2
MESHES = {
    1: uf.interval({"S": 2.0, "F": 0.5, "N": 1.0}, size=0.25),
    2: uf.rectangle({"S": 2.0, "F": 0.5, "N": 1.0}, width=0.5, size=0.5),
    3: uf.box({"S": 2.0, "F": 0.5, "N": 1.0}, width=0.5, height=0.5, size=0.5),
}
BARRIER = dict(polarization=0.3, magnetization=(0.0, 0.6, 0.8))


def devices(dim, length, energy, density):
    """A device with everything, between superconducting reservoirs and alone; and its normal state."""
    mesh = replace(MESHES[dim], doflocs=MESHES[dim].p * length)
    common = {"D": energy * length**2, "N0": density}
    conductance = density * energy * length
    materials = {
        "S": uf.superconductor(Tc=0.6 * energy, **common),
        "F": uf.ferromagnet(
            exchange=(0.0, 0.3 * energy, 0.9 * energy), tau_so=2 / energy, theta=0.1, kappa=0.2, **common
        ),
        "N": uf.normal_metal(tau_sf=9 / energy, depairing=0.03 * energy, rashba=0.2 / length, **common),
    }
    interfaces = {"F_N": uf.SpinActive(conductance=3 * conductance, mixing=0.4 * conductance, **BARRIER)}
    field = {"B": 0.1 / length**2} if dim == 2 else {}
    behind = uf.Tunnel(conductance=2 * conductance)
    contacts = {"left": uf.Reservoir(phase=0.4), "right": uf.Reservoir(gap=1.1 * energy, phase=1.3, barrier=behind)}
    driven = uf.Device(mesh, materials, contacts, interfaces, **field)
    alone = uf.Device(mesh, materials, {}, interfaces, **field)
    ends = {"left": uf.NormalContact(potential=energy), "right": uf.NormalContact(spin=(0.0, 0.0, 0.5 * energy))}
    return driven, alone, uf.Device(mesh, materials, ends)


def numbers(dim, length, energy, density, solver="auto"):
    """Observables, Tc and free energies, in units of length, energy and density of states."""
    driven, alone, normal = devices(dim, length, energy, density)
    current = density * energy**2 * length**dim
    options = {"order": 1, "linear_solver": solver}
    eq = uf.solve_equilibrium(driven, TEMPERATURE * energy, tolerance=1e-10, **options)
    spectrum = uf.solve_spectrum(eq, [0.7 * energy], broadening=0.1 * energy, linear_solver=solver)
    flow = uf.solve_normal_state(normal, order=1)
    centre = MESHES[dim].p.mean(axis=1)[:, None] * length
    return {
        "charge current": uf.charge_current(eq).through("left") / current,
        "charge current behind": uf.charge_current(eq).through("right") / current,
        "spin current": uf.spin_current(eq).through("F_N") / current,
        "gap": uf.gap(eq).at(np.full((dim, 1), 0.2 * length)) / energy,
        "pair amplitude": uf.pair_amplitude(eq).at(centre),
        "spin density": uf.spin_density(eq).at(centre) / (density * energy),
        "spin torque": uf.spin_torque(eq).integral() / current,
        "density of states": uf.density_of_states(spectrum).at(centre),
        "free energy": uf.free_energy(eq) / current,
        "resistance": uf.normal_resistance(driven, "left", "right", order=1) * density * energy * length**dim,
        "normal current": uf.charge_current(flow).through("left") / current,
        "spin accumulation": uf.spin_accumulation(flow).at(centre) / energy,
        "stability": uf.study.stability(alone, TEMPERATURE * energy, **options),
        "critical temperature": uf.critical_temperature(alone, precision=1e-10, **options) / energy,
    }


def assert_same(found, expected):
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-8, abs=1e-8 * np.max(np.abs(value)) + 1e-13), name


@pytest.fixture(scope="module")
def natural():
    return {dim: numbers(dim, 1.0, 1.0, 1.0) for dim in MESHES}


# Every system with one of the solvers in 1D, some in 2D and 3D: benchmarks/units.py has them all.
SOLVERS = available_solvers()
CASES = [(1, units, SOLVERS[n % len(SOLVERS)]) for n, units in enumerate(SYSTEMS[1:])]
CASES += [(2, SYSTEMS[n], SOLVERS[k % len(SOLVERS)]) for k, n in enumerate((2, 5, 8))] + [(3, SYSTEMS[3], "auto")]


@pytest.mark.slow
@pytest.mark.parametrize(("dim", "units", "solver"), CASES, ids=str)
def test_every_observable_is_the_same_in_any_units(dim, units, solver, natural):
    assert_same(numbers(dim, *units, solver), natural[dim])


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(-10, 3), st.floats(-22, 4), st.floats(-40, 47))
def test_every_observable_is_the_same_in_random_units(natural, length, energy, density):
    assert_same(numbers(1, *(math.pow(10.0, power) for power in (length, energy, density))), natural[1])
