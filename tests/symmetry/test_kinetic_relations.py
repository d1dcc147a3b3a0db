"""Out of equilibrium: conservation, Onsager relations, gauge, and the limits of no bias and of the normal state."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from onsager import CHARGE_AND_ENERGY, SIGNS, between_normal_contacts, onsager_error, square
from test_interface_conservation import BARRIERS, MESHES, along, spread

import usadelfem as uf
from usadelfem.nonequilibrium.responses import Responses

# Conservation laws hold on meshes of any coarseness, and whatever part of an occupation given energies leave out.
pytestmark = [
    pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning"),
    pytest.mark.filterwarnings("ignore:the energies, from:UserWarning"),
]

SPINS = slice(2, 8)
METALS = {
    "L": uf.ferromagnet(exchange=(0.0, 1.5, 0.0), D=2.0, tau_so=2.0, theta=0.2, kappa=0.3),
    "R": uf.ferromagnet(exchange=(2.0, 0.0, 0.5), N0=0.7, tau_sf=1.0, rashba=0.4),
}
DRIVEN = uf.Reservoir(gap=0.0, voltage=0.6, temperature=0.3, spin_bias=(0.1, 0.0, 0.2))
ENERGIES = [0.0, 0.4, 1.2, 4.0]


def bilayer(barrier, mesh="line", right=DRIVEN):
    """Two ferromagnets with a barrier between them, a superconducting and a normal reservoir."""
    contacts = {"left": uf.Reservoir(gap=1.0, phase=-0.5), "right": right}
    return uf.Device(MESHES[mesh], METALS, contacts, {"L_R": barrier})


def solved(device, energies=ENERGIES, **options):
    return uf.solve_nonequilibrium(device, **{"temperature": 0.1, "broadening": 0.01} | options, energies=energies)


@cache
def driven(kind, mesh="line"):
    return solved(bilayer(BARRIERS[kind], mesh))


# Conservation


@pytest.mark.parametrize("mesh", ["line", "triangle"])
@pytest.mark.parametrize("kind", ["tunnel", "spin-active", "channels"])
def test_charge_and_energy_are_conserved_through_contacts_and_barriers(kind, mesh):
    neq = driven(kind, mesh)
    for current in (uf.charge_current(neq), uf.energy_current(neq)):
        assert spread(along(current)) < 1e-11
        assert abs(along(current)[0]) > 1e-2


@pytest.mark.parametrize("kind", ["tunnel", "spin-active", "channels"])
def test_they_are_conserved_at_every_energy_for_every_mode_of_every_reservoir(kind):
    values = uf.conductance_matrix(solved(bilayer(BARRIERS[kind], right=uf.Reservoir(gap=0.0)))).values
    assert abs(values[:, :, CHARGE_AND_ENERGY].sum(axis=1)).max() < 1e-11 * abs(values).max()


def test_the_current_is_the_same_through_any_section():
    mesh = uf.rectangle({"F": 1.0}, width=0.5, size=0.25, cell="quad")
    mesh = mesh.with_boundaries({"cut": lambda x: x[0] == 0.5}, boundaries_only=False)
    contacts = {"left": uf.Reservoir(gap=1.0), "right": DRIVEN}
    neq = solved(uf.Device(mesh, {"F": METALS["L"]}, contacts))
    for current in (uf.charge_current(neq), uf.energy_current(neq)):
        assert current.through("cut", into=(1, 0)) == pytest.approx(current.through("right"), rel=1e-11)


def test_heat_in_all_reservoirs_is_the_power_of_the_biases():
    neq = driven("spin-active")
    heat, charge, spin = uf.heat_current(neq), uf.charge_current(neq), uf.spin_current(neq)
    power = -0.6 * charge.through("right") - 2 * np.array(DRIVEN.spin_bias) @ spin.through("right")
    assert power > 0.1
    assert heat.through("left") + heat.through("right") == pytest.approx(power, rel=1e-11)


@pytest.mark.filterwarnings("ignore:charge is not conserved")
def test_a_given_gap_is_the_only_source_of_charge():
    metals = {"N": uf.normal_metal(), "S": uf.superconductor(gap=lambda x: 0.8 * np.exp(0.3j * x[0]))}
    contacts = {name: uf.Reservoir(gap=0.0, voltage=v) for name, v in (("left", 0.4), ("right", -0.1))}
    neq = solved(uf.Device(uf.interval({"N": 1.0, "S": 2.0}, size=0.2), metals, contacts), np.linspace(0, 3, 16))
    charge, energy = uf.charge_current(neq), uf.energy_current(neq)
    source = uf.charge_source(neq)
    assert abs(source.integral()) > 0.1
    assert charge.through("left") + charge.through("right") == pytest.approx(source.integral(), rel=1e-9)
    assert source.integral("N") == pytest.approx(0.0, abs=1e-14)
    assert energy.through("left") == pytest.approx(-energy.through("right"), rel=1e-11)


@pytest.mark.parametrize("mesh", ["line", "triangle"])
@pytest.mark.parametrize("kind", ["tunnel", "spin-active", "channels"])
def test_spin_that_leaves_a_region_is_made_by_its_torques(kind, mesh):
    neq = driven(kind, mesh)
    spin, torque = uf.spin_current(neq), uf.spin_torque(neq)
    for region, other, end in (("L", "R", "left"), ("R", "L", "right")):
        leaving = spin.through(end) + spin.through("L_R", other)
        assert leaving == pytest.approx(torque.integral(region), abs=1e-12)
        assert abs(leaving).max() > 1e-3


def test_the_parts_of_the_torque_add_up_to_the_whole():
    neq = driven("spin-active", "triangle")
    parts = [uf.spin_torque(neq, part).quadrature for part in ("exchange", "relaxation", "extrinsic", "intrinsic")]
    assert min(abs(part).max() for part in parts) > 1e-4
    assert sum(parts) == pytest.approx(uf.spin_torque(neq).quadrature, abs=1e-14)


# Limits


@pytest.mark.parametrize("kind", ["spin-active", "channels"])
def test_without_a_bias_everything_is_that_of_equilibrium(kind):
    device = bilayer(BARRIERS[kind], "triangle", right=uf.Reservoir(gap=1.0, phase=0.7))
    neq, eq = solved(device, [0.4, 1.2]), uf.solve_equilibrium(device, temperature=0.1)
    assert not neq.deviation.any()
    observables = [uf.charge_current, uf.spin_current, uf.spin_density, uf.spin_torque, uf.spin_orbit_torque, uf.gap]
    for observable in observables:
        assert np.array_equal(observable(neq).quadrature, observable(eq).quadrature)
    for observable in (uf.charge_current, uf.spin_current):
        assert np.array_equal(observable(neq).through("left"), observable(eq).through("left"))
    assert abs(uf.charge_current(neq).through("left")) > 0.1
    for observable in (uf.energy_current, uf.heat_current, uf.potential):
        assert not observable(neq).quadrature.any()
    assert uf.local_temperature(neq).quadrature == pytest.approx(np.full_like(neq.problem.space.dx, 0.1), rel=1e-14)


def test_a_bias_that_is_taken_back_leaves_equilibrium():
    neq = driven("spin-active")
    back = neq.with_bias({"right": {"voltage": 0.0, "temperature": 0.1, "spin_bias": (0, 0, 0)}})
    assert not back.deviation.any()
    assert uf.charge_current(neq).through("left") != uf.charge_current(back).through("left")


@pytest.mark.parametrize("solved_with", [(0.0, 0.0, 0.0), (0.0, 0.0, 0.1)])
def test_a_spin_bias_across_the_spins_that_were_solved_for_is_refused(solved_with):
    ends = {"left": uf.Reservoir(gap=0.0, spin_bias=solved_with), "right": uf.Reservoir(gap=0.0)}
    neq = solved(uf.Device(uf.interval({"N": 1.0}, size=0.5), {"N": uf.normal_metal()}, ends))
    with pytest.raises(ValueError, match="needs spin components that were not solved for"):
        neq.with_bias({"left": {"spin_bias": (0.1, 0.0, 0.0)}})


def test_without_superconductors_the_equation_is_that_of_the_normal_state():
    mesh = uf.rectangle({"N": 1.0}, width=1.0, size=0.25).with_boundaries({
        "low": lambda x: (x[1] == 0) & (abs(x[0] - 0.5) < 0.3), "high": lambda x: (x[1] == 1) & (abs(x[0] - 0.5) < 0.3)
    })  # fmt: skip
    metal = uf.ferromagnet(
        theta=0.25, kappa=0.35, tau_so=2.0, N0=0.8, D=1.3, su2=[(0.3, 0, 0.2), (0, -0.4, 0.1)],
        exchange=lambda x: np.array([2 * x[0], 1 - x[1], 1 + x[0] * x[1]]),
    )  # fmt: skip
    contacts = {
        "left": uf.NormalContact(potential=0.4, spin=(0.1, 0, 0.2)), "right": uf.NormalContact(),
        "low": uf.NormalContact(potential=-0.2, spin=(0, 0.3, 0)),
        "high": uf.NormalContact(potential=0.1, spin=(0, 0.1, -0.1)),
    }  # fmt: skip
    device = uf.Device(mesh, {"N": metal}, contacts)
    neq, normal = solved(device, [0.0, 4.0, 12.0], temperature=0.3), uf.solve_normal_state(device)
    points = np.array([[0.3, 0.5, 0.8], [0.2, 0.5, 0.7]])
    assert uf.potential(neq).at(points) == pytest.approx(uf.potential(normal).at(points), abs=1e-9)
    assert uf.spin_density(neq).at(points) == pytest.approx(uf.spin_density(normal).at(points), abs=1e-9)
    for name in contacts:
        for current in (uf.charge_current, uf.spin_current):
            assert current(neq).through(name) == pytest.approx(current(normal).through(name), rel=1e-8, abs=1e-8)


# Gauge


def test_all_voltages_may_be_shifted_together():
    def currents(shift):
        contacts = {"left": uf.Reservoir(gap=1.0, voltage=shift), "right": uf.Reservoir(gap=0.0, voltage=shift + 0.4)}
        device = uf.Device(uf.interval({"N": 1.0}, size=0.25), {"N": uf.normal_metal(D=2.0)}, contacts)
        neq = solved(device, np.linspace(0, 4, 9))
        through = [f(neq).through(name) for f in (uf.charge_current, uf.heat_current) for name in contacts]
        return np.array([*through, *(uf.potential(neq).at([[0.0, 0.4, 1.0]]) - shift)])

    assert currents(0.7) == pytest.approx(currents(0.0), rel=1e-12, abs=1e-14)


def test_an_su2_field_without_strength_is_a_rotation_of_the_exchange_field():
    # SU_x = (q/2) sigma_x turns spins by -q x about x: h along z with it is h turned by q x without it, SNF wire
    q, field, length = 0.8, 5.0, 1.2
    bias = np.array((0.2, 0.3, -0.1))

    def turned(angle, vector):
        c, s = np.cos(angle), np.sin(angle)
        return np.array([vector[0] + 0 * angle, c * vector[1] - s * vector[2], s * vector[1] + c * vector[2]])

    def flows(su2, exchange, spin_bias):
        metals = {"N": uf.normal_metal(su2=su2), "F": uf.ferromagnet(exchange=exchange, su2=su2)}
        right = uf.Reservoir(gap=0.0, voltage=0.5, spin_bias=tuple(spin_bias))
        contacts = {"left": uf.Reservoir(gap=30.0), "right": right}
        device = uf.Device(uf.interval({"N": 0.5, "F": 0.7}, size=1 / 20), metals, contacts)
        neq = solved(device, [0.0, 1.0, 3.0, 8.0, 20.0], temperature=1.0)
        return float(uf.charge_current(neq).through("right")), uf.spin_current(neq).through("right")

    charge, spin = flows([(q, 0.0, 0.0)], (0.0, 0.0, field), bias)
    rotating = flows(None, lambda x: turned(q * x[0], (0.0, 0.0, field)), turned(q * length, bias))
    assert charge == pytest.approx(rotating[0], rel=1e-8)
    assert turned(q * length, spin) == pytest.approx(rotating[1], rel=1e-6)
    assert abs(charge - flows(None, (0.0, 0.0, field), bias)[0]) > 1e-3 * abs(charge)


# Onsager relations


def across(barrier, direction):
    """Conductances of a superconductor and a ferromagnet between normal reservoirs, all fields reversed for -1."""
    metals = {
        "L": uf.materials.Material(gap=0.8, exchange=direction * np.array((0.0, 1.5, 0.4)), tau_so=2.0, D=2.0),
        "R": uf.ferromagnet(
            exchange=direction * np.array((2.0, 0.0, 0.5)), N0=0.7, tau_sf=1.0, su2=[(0.3, 0.2, -0.4)]
        ),
    }  # fmt: skip
    turned = replace(barrier, magnetization=direction * np.array(barrier.magnetization))
    ends = dict.fromkeys(("left", "right"), uf.Reservoir(gap=0.0))
    device = uf.Device(uf.interval({"L": 0.5, "R": 0.5}, size=0.05), metals, ends, {"L_R": turned})
    return uf.conductance_matrix(solved(device, [0.7, 2.0])).values


@pytest.mark.parametrize("kind", ["tunnel", "spin-active", "channels"])
def test_all_modes_pass_a_barrier_alike_from_both_sides_with_all_fields_reversed(kind):
    values, reversed_fields = (across(BARRIERS[kind], direction) for direction in (1, -1))
    transposed = np.einsum("eaibj,i,j->ebjai", reversed_fields, SIGNS, SIGNS)
    assert values == pytest.approx(transposed, abs=2e-9)
    assert abs(values - reversed_fields).max() > 1.0


@pytest.fixture(scope="module")
def squares():
    return {size: [square(direction, size) for direction in (1, -1)] for size in (0.2, 0.1)}


@pytest.fixture(scope="module")
def conductances(squares):
    return {size: [uf.conductance_matrix(neq).values[0] for neq in pair] for size, pair in squares.items()}


@pytest.mark.slow
def test_a_square_conserves_charge_and_energy(conductances):
    for values in conductances[0.1]:
        assert abs(values[:, CHARGE_AND_ENERGY].sum(axis=0)).max() < 1e-12 * abs(values).max()


@pytest.mark.slow
def test_conductances_are_those_with_all_fields_reversed_and_contacts_exchanged(conductances):
    coarse, fine = (onsager_error(*conductances[size]) for size in (0.2, 0.1))
    largest = abs(between_normal_contacts(conductances[0.1][0])).max()
    assert fine[CHARGE_AND_ENERGY, CHARGE_AND_ENERGY].max() < 3e-4 * largest
    assert fine[CHARGE_AND_ENERGY, CHARGE_AND_ENERGY].max() < coarse[CHARGE_AND_ENERGY, CHARGE_AND_ENERGY].max() / 3
    assert fine.max() < 3e-3 * largest  # spins: singular at the ends of the contacts


@pytest.mark.slow
def test_spin_is_odd_under_time_reversal(conductances):
    mixed = onsager_error(*conductances[0.1], signs=np.ones(8))[SPINS, CHARGE_AND_ENERGY]
    assert mixed.max() > 10 * onsager_error(*conductances[0.1])[SPINS, CHARGE_AND_ENERGY].max()


@pytest.mark.slow
def test_without_reversed_fields_there_is_no_such_relation(conductances):
    one = conductances[0.1][0]
    assert onsager_error(one, one).max() > 10 * onsager_error(*conductances[0.1]).max()


def with_another_theta(neq, factor):
    """The conductances of a kinetic equation with another theta than that of the retarded equation."""
    problem = neq.problem
    table = problem.coefficients.table.copy()
    table[..., [number for number, row in enumerate(problem.coefficients.rows) if row.name == "THETA"]] *= factor
    found = Responses(problem.with_columns(table)).solve(complex(1e-3, -6.0), neq.spectrum.states[0]).conductance
    order = [0, 4, 1, 2, 3, 5, 6, 7]
    return found[:, order][:, :, :, order]


@pytest.mark.slow
def test_a_wrong_sign_of_theta_in_the_kinetic_equation_would_be_seen_by_onsager_and_not_by_conservation(
    squares, conductances
):
    right, wrong = ([with_another_theta(neq, sign) for neq in squares[0.1]] for sign in (1, -1))
    assert right[0] == pytest.approx(conductances[0.1][0], abs=1e-12)
    charge = CHARGE_AND_ENERGY, CHARGE_AND_ENERGY
    assert onsager_error(*wrong)[charge].max() > 1e-2
    assert onsager_error(*wrong)[charge].max() > 20 * onsager_error(*right)[charge].max()
    assert abs(wrong[0][:, CHARGE_AND_ENERGY].sum(axis=0)).max() < 1e-12 * abs(wrong[0]).max()
