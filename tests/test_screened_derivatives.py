"""Derivatives of solutions with screening: gap and magnetic field follow together."""

import numpy as np
import pytest

import usadelfem as uf

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # meshes of a few cells

STENCIL = ((1, 2 / 3), (-1, -2 / 3), (2, -1 / 12), (-2, 1 / 12))
STEPS = {"B": 0.01, "D": 0.01, "phase": 0.01, "temperature": 0.002}
PLANE = uf.rectangle({"S": 1.0, "N": 0.5, "S2": 1.0}, width=1.0, size=0.35)
FIELD = {"B": 0.3, "D": 1.0, "phase": 1.0, "temperature": 0.2}
NAMES = {"B": "B", "D": ("N", "D"), "phase": ("right", "phase"), "temperature": "temperature"}


def junction(D, phase, B, gap=None):
    """Two superconductors beside a normal metal, with their gap found, or given at a phase of half of that."""
    own = {"Tc": 0.5669} if gap is None else {"gap": gap}
    metals = {"S": uf.superconductor(**own), "N": uf.normal_metal(D=D), "S2": uf.superconductor(**own)}
    ends = {"left": uf.Reservoir(gap), "right": uf.Reservoir(gap, phase=phase)}
    return uf.Device(PLANE, metals, ends, B=B)


def island(D, phase, B):
    """The same metals without contacts."""
    S = uf.superconductor(Tc=0.5669)
    return uf.Device(PLANE, {"S": S, "N": uf.normal_metal(D=D), "S2": S}, {}, B=B)


def weak(D, phase, B):
    return junction(D, phase, B, gap=1.0)


def solve(make, temperature, order=1, **numbers):
    return uf.solve_equilibrium(
        make(**numbers), temperature, order=order, frequencies=6, cutoff_index=500, screening=True,
        penetration_depth={"S": 1.0}, progress=False, tolerance=1e-12,
    )  # fmt: skip


def observables(eq):
    """Numbers that do not know the phase of an island, or their derivatives of a tangent."""
    gap = uf.gap(eq).at([[0.5], [0.5]])[0]
    own = uf.gap(eq.result).at([[0.5], [0.5]])[0] if hasattr(eq, "result") else gap / 2
    return np.array([
        uf.free_energy(eq), uf.charge_current(eq).at([[1.2], [0.8]])[0, 0], uf.magnetic_field(eq).at([[1.2], [0.5]])[0],
        2 * (own.conj() * gap).real,
    ])  # fmt: skip


def differences(make, name, order):
    def moved(step):
        return observables(solve(make, order=order, **{**FIELD, name: FIELD[name] + step}))

    return sum(weight / STEPS[name] * moved(k * STEPS[name]) for k, weight in STENCIL)


CASES = {
    "found gap, D": (junction, "D", 1), "found gap, phase": (junction, "phase", 1),
    "found gap, T": (junction, "temperature", 1), "without contacts, B": (island, "B", 1),
    "given gap, B": (weak, "B", 2),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_tangents_of_a_screened_solution_are_the_limit_of_differences_of_solves(case):
    make, name, order = CASES[case]
    tangent = uf.derivative(solve(make, order=order, **FIELD), {NAMES[name]: 1.0})
    wanted = differences(make, name, order)
    assert np.allclose(observables(tangent), wanted, rtol=1e-7, atol=1e-7 * abs(wanted).max())


@pytest.mark.parametrize("make", [junction, island, weak])
def test_adjoint_and_tangent_of_a_screened_solution_agree(make):
    eq = solve(make, **FIELD)
    objectives = {"current": lambda r: uf.charge_current(r).at([[1.2], [0.8]])[0, 0], "energy": uf.free_energy}
    names = ["B", ("N", "D"), ("S", "N0"), "temperature", *([] if make is island else [("right", "phase")])]
    for objective in objectives.values():
        sensitivity = uf.sensitivity(objective(eq))
        forward = [float(objective(uf.derivative(eq, {name: 1.0}))) for name in names]
        adjoint = [sensitivity.along({name: 1.0}) for name in names]
        assert np.allclose(adjoint, forward, rtol=1e-10, atol=1e-10 * max(map(abs, forward)))


def test_field_grows_with_the_applied_one_by_less_where_it_is_screened():
    eq = solve(island, **FIELD)
    rate = uf.magnetic_field(uf.derivative(eq, {"B": 1.0}))
    middle, edge = rate.at([[0.6, 0.6], [0.5, 0.999]])
    assert middle < edge < 1.001
    assert middle == pytest.approx(uf.magnetic_field(eq).at([[0.6], [0.5]])[0] / FIELD["B"], rel=0.05)


def test_flux_through_a_hole_follows_the_applied_field():
    pytest.importorskip("gmsh")
    geometry = uf.geometry.ring(radius=1.0, width=0.5, A=uf.superconductor(Tc=1.0))
    mesh = geometry.mesh(size=0.5)

    def solved(B):
        return uf.solve_equilibrium(
            uf.Device(mesh, {"A": uf.superconductor(Tc=1.0)}, {}, B=B), 0.3, order=1, frequencies=4, screening=True,
            penetration_depth={"A": 1.0}, progress=False, tolerance=1e-12,
        )  # fmt: skip

    (_, rate), = uf.observe.hole_fluxes(uf.derivative(solved(0.2), {"B": 1.0}))
    (_, more), = uf.observe.hole_fluxes(solved(0.2 + 1e-3))
    (_, less), = uf.observe.hole_fluxes(solved(0.2 - 1e-3))
    assert rate == pytest.approx((more - less) / 2e-3, rel=1e-6)


def test_field_of_a_tangent_along_a_general_potential_is_refused():
    S = uf.superconductor(Tc=1.0)
    device = uf.Device(PLANE, {"S": S, "N": S, "S2": S}, {}, A=(0.1, 0.0))
    eq = uf.solve_equilibrium(device, 0.3, order=1, frequencies=3, screening=True, penetration_depth={"S": 1.0})
    tangent = uf.derivative(eq, {"A": (0.0, 1.0)})
    with pytest.raises(uf.errors.ObservableError, match="not for a general A"):
        uf.magnetic_field(tangent)
