"""Interfaces with barriers: limits, conservation of charge and spin, symmetries, resistances."""

from dataclasses import replace

import numpy as np
import pytest
import skfem
from devices import rotation

import usadelfem as uf

# Currents are conserved on meshes of any coarseness.
pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")

BARRIERS = {
    "tunnel": uf.Tunnel(conductance=0.7),
    "spin-active": uf.SpinActive(conductance=0.7, polarization=0.6, mixing=-0.9, magnetization=(1, 2, -2)),
    "channels": uf.Nazarov(conductance=0.7, transparencies=[0.3, 0.9, 1.0]),
} | {
    name: uf.Nazarov(conductance=0.7, transparencies=name)
    for name in ("diffusive", "dirty_interface", "chaotic_cavity")
}
LINE = uf.interval({"L": 0.5, "R": 0.5}, size=0.1)
MESHES = {
    "line": LINE,
    "triangle": uf.rectangle({"L": 0.5, "R": 0.5}, width=0.75, size=0.25),
    "quad": uf.rectangle({"L": 0.5, "R": 0.5}, width=0.75, size=0.25, cell="quad"),
    "tetrahedron": uf.box({"L": 0.5, "R": 0.5}, width=0.5, height=0.5, size=0.5),
    "hexahedron": uf.box({"L": 0.5, "R": 0.5}, width=0.5, height=0.5, size=0.5, cell="hexahedron"),
}
METALS = {"L": uf.normal_metal(D=2.0), "R": uf.ferromagnet(exchange=(2.0, 0.0, 0.5), N0=0.7)}
TWO_FERROMAGNETS = METALS | {"L": uf.ferromagnet(exchange=(0.0, 1.5, 0.0), D=2.0)}
NORMAL = dict.fromkeys("LR", uf.normal_metal())
FEW = {"frequencies": 3}


def bilayer(barrier, mesh=LINE, *, phase=1.0, gap=1.0, metals=METALS, at_left=None):
    """Two metals between reservoirs, a barrier between them, perhaps another one towards the left reservoir."""
    left = uf.Reservoir(gap, -phase / 2, barrier=at_left)
    return uf.Device(mesh, metals, {"left": left, "right": uf.Reservoir(gap, phase / 2)}, {"L_R": barrier})


def riccati(device, **options):
    return uf.solve_equilibrium(device, 0.1, **FEW | options).riccati


def along(current):
    """What flows from left to right through the contacts and through the interface, seen from both of its sides."""
    flows = [-current.through("left"), current.through("right"), current.through("L_R"), current.through(("L", "R"))]
    return np.array([*flows, -current.through("L_R", "L"), -current.through(("R", "L"))])


def spread(flows):
    return abs(flows - flows[0]).max() / abs(flows[0]).max()


# Limits


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("at_left", [False, True])
@pytest.mark.parametrize("kind", [uf.Tunnel, uf.SpinActive, uf.Nazarov])
def test_a_good_barrier_approaches_a_transparent_contact_like_one_over_its_conductance(kind, at_left, order):
    def green(barrier):
        pair = (uf.Transparent(), barrier) if at_left else (barrier, None)
        device = bilayer(pair[0], at_left=pair[1])
        return uf.solve_equilibrium(device, 0.1, order=order, **FEW).green([[0.1, 0.4, 0.6, 0.9]])

    channels = {"transparencies": "diffusive"} if kind is uf.Nazarov else {}
    transparent = green(uf.Transparent())
    errors = [abs(green(kind(conductance=c, **channels)) - transparent).max() for c in (1e3, 1e4, 1e8)]
    assert errors[0] / errors[1] == pytest.approx(10.0, rel=0.05)
    assert errors[2] < 1e-6


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "barrier",
    [
        uf.Tunnel(conductance=0.0),
        uf.SpinActive(conductance=0.0, mixing=0.8, magnetization=(0, 1, 1)),
        uf.Nazarov(conductance=0.0, transparencies=[1.0]),
    ],
)
def test_without_conductance_each_side_is_a_device_of_its_own(barrier, order):
    whole = uf.solve_equilibrium(bilayer(barrier), 0.1, order=order, **FEW)
    assert abs(uf.charge_current(whole).through("L_R")) < 1e-15
    coating = barrier if barrier.mixing else uf.Transparent()
    for name, end, inner, start in (("L", "left", "right", 0.0), ("R", "right", "left", 0.5)):
        own = {inner: coating} if coating.mixing else {}
        device = uf.Device(uf.interval({name: 0.5}), {name: METALS[name]}, {end: whole.device.contacts[end]}, own)
        alone = uf.solve_equilibrium(device, 0.1, order=order, **FEW)
        x = np.array([[0.13, 0.4, 0.5 - 1e-9 if name == "L" else 1e-9]])
        assert abs(whole.green(x + start) - alone.green(x)).max() < 1e-8


def test_a_barrier_that_neither_filters_nor_mixes_spins_is_a_tunnel_barrier():
    active = uf.SpinActive(conductance=0.7, magnetization=(1, 2, 3))
    assert abs(riccati(bilayer(active)) - riccati(bilayer(BARRIERS["tunnel"]))).max() < 1e-14


def test_channels_of_small_transparency_make_a_tunnel_barrier():
    def error(tau):
        channels = uf.Nazarov(conductance=0.7, transparencies=[tau, tau / 2])
        return abs(riccati(bilayer(channels)) - riccati(bilayer(BARRIERS["tunnel"]))).max()

    assert error(1e-4) < 1e-5
    assert error(1e-3) / error(1e-4) == pytest.approx(10.0, rel=1e-2)


@pytest.mark.parametrize("kind", BARRIERS)
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_the_linear_equation_is_the_limit_of_small_gaps(kind):
    def error(gap):
        device = bilayer(BARRIERS[kind], gap=gap, at_left=BARRIERS[kind])
        options = {"quadrature": "plain"}
        return abs(riccati(device, **options) - riccati(device, linearized=True, **options)).max()

    assert error(0.02) / error(0.01) == pytest.approx(8.0, rel=0.01)


# Conservation


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mesh", MESHES)
@pytest.mark.parametrize("kind", BARRIERS)
def test_the_current_is_the_same_through_contacts_and_on_both_sides_of_a_barrier(kind, mesh, order):
    device = bilayer(BARRIERS[kind], MESHES[mesh], at_left=BARRIERS[kind])
    flows = along(uf.charge_current(uf.solve_equilibrium(device, 0.1, order=order, **FEW)))
    assert spread(flows) < 1e-9
    assert abs(flows[0]) > 1e-3


@pytest.mark.parametrize("kind", BARRIERS)
def test_the_current_of_the_linear_equation_is_conserved_through_barriers(kind):
    device = bilayer(BARRIERS[kind], MESHES["triangle"], at_left=BARRIERS[kind])
    assert spread(along(uf.charge_current(uf.solve_equilibrium(device, 0.1, linearized=True, **FEW)))) < 1e-9


def test_self_consistent_superconductors_exchange_a_conserved_current():
    metals = dict.fromkeys("LR", uf.superconductor(Tc=0.5669))
    eq = uf.solve_equilibrium(bilayer(BARRIERS["spin-active"], gap=None, metals=metals), 0.2, tolerance=1e-10)
    assert spread(along(uf.charge_current(eq))) < 1e-8


def crossing(mesh):
    """A square of four regions that meet in its centre, a contact on each."""
    x, parts, ends = np.linspace(0, 1, 5), {}, {}
    for i, j in np.ndindex(2, 2):
        parts[f"{i}{j}"] = lambda x, i=i, j=j: ((x[0] > 0.5) == i) & ((x[1] > 0.5) == j)
        ends[f"at {i}{j}"] = lambda x, i=i, j=j: (x[0] == i) & ((x[1] > 0.7) if j else (x[1] < 0.3))
    return mesh.init_tensor(x, x).with_subdomains(parts).with_boundaries(ends)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mesh", [skfem.MeshTri1, skfem.MeshQuad1])
@pytest.mark.parametrize("interfaces", [4, 3])
def test_currents_into_every_region_where_barriers_cross_or_one_ends_on_another_add_up_to_zero(interfaces, mesh, order):
    pairs = [("00", "10"), ("01", "11"), ("00", "01"), ("10", "11")]
    materials = {name: METALS["L" if name in ("00", "11") else "R"] for name in ("00", "01", "10", "11")}
    contacts = {f"at {region}": uf.Reservoir(1.0, 2.0 * i) for i, region in enumerate(materials)}
    barriers = dict(zip(pairs[:interfaces], BARRIERS.values(), strict=False))
    eq = uf.solve_equilibrium(uf.Device(crossing(mesh), materials, contacts, barriers), 0.1, order=order, **FEW)
    current = uf.charge_current(eq)
    for region in materials:
        others = [other for pair in pairs if region in pair for other in pair if other != region]
        flows = [current.through((region, other)) for other in others] + [current.through(f"at {region}")]
        assert abs(sum(flows)) < 1e-9 * max(map(abs, flows))
        assert min(map(abs, flows)) > 1e-3


def divided(cell):
    """A strip with a set `lower`, the lower half of `L_R`, and a set `along` that crosses it from end to end."""
    mesh = uf.rectangle({"L": 0.5, "R": 0.5}, width=1.0, size=0.25, cell=cell)
    sets = {"lower": lambda x: (x[0] == 0.5) & (x[1] < 0.5), "along": lambda x: x[1] == 0.5}
    return mesh.with_boundaries(sets, boundaries_only=False)


@pytest.mark.parametrize("cell", ["triangle", "quad"])
@pytest.mark.parametrize("interfaces", [("lower",), ("along",), ("lower", "along")])
def test_the_current_is_the_same_through_a_section_that_barriers_cover_in_part_or_cross(interfaces, cell):
    contacts = bilayer(uf.Transparent()).contacts
    device = uf.Device(divided(cell), METALS, contacts, dict(zip(interfaces, BARRIERS.values(), strict=False)))
    assert spread(along(uf.charge_current(uf.solve_equilibrium(device, 0.1, **FEW)))) < 1e-9


@pytest.mark.parametrize("kind", ["tunnel", "channels", "diffusive"])
def test_normal_metals_conserve_the_spin_current_between_magnetic_reservoirs(kind):
    device = bilayer(BARRIERS[kind], metals=NORMAL)
    fields = {"left": (0.5, 0.0, 0.0), "right": (0.0, 0.4, 0.3)}
    ends = {name: replace(device.contacts[name], exchange=field) for name, field in fields.items()}
    magnetic = replace(device, contacts=ends)
    flows = along(uf.spin_current(uf.solve_equilibrium(magnetic, 0.1, **FEW)))
    assert spread(flows) < 1e-7
    assert abs(flows[0]).max() > 1e-3


@pytest.mark.parametrize("mesh", ["line", "triangle", "hexahedron"])
@pytest.mark.parametrize("kind", ["tunnel", "spin-active", "channels"])
def test_spin_that_leaves_a_region_through_barriers_and_contacts_is_made_by_its_torques(kind, mesh):
    eq = uf.solve_equilibrium(bilayer(BARRIERS[kind], MESHES[mesh], metals=TWO_FERROMAGNETS), 0.1, **FEW)
    spin, torque = uf.spin_current(eq), uf.spin_torque(eq)
    left, right = spin.through("left") + spin.through("L_R", "R"), spin.through("right") + spin.through("L_R", "L")
    assert left == pytest.approx(torque.integral("L"), abs=1e-9)
    assert right == pytest.approx(torque.integral("R"), abs=1e-9)
    assert abs(right).max() > 1e-3


def test_a_magnetic_insulator_takes_up_spin_and_no_charge():
    coating = uf.SpinActive(conductance=0.0, mixing=0.8, magnetization=(0, 1, 0))
    strip = uf.rectangle({"R": 0.5}, width=0.5, size=0.125)
    device = uf.Device(strip, {"R": METALS["R"]}, {"left": uf.Reservoir(1.0)}, {"top": coating})
    eq = uf.solve_equilibrium(device, 0.1, **FEW)
    outflow = uf.spin_current(eq).through("top") + uf.spin_current(eq).through("left")
    assert outflow == pytest.approx(uf.spin_torque(eq).integral(), abs=1e-10)
    assert abs(uf.charge_current(eq).through("top")) < 1e-14
    assert abs(uf.spin_current(eq).through("top")[2]) > 1e-3


# Symmetries


def test_rotating_every_magnetisation_alike_rotates_the_spin_current_and_keeps_the_charge_current():
    def currents(turn):
        active = BARRIERS["spin-active"]
        barrier = replace(active, magnetization=turn @ active.magnetization)
        mixing = replace(barrier, conductance=1.3, magnetization=turn @ (0, 1, 0))
        metals = {k: replace(m, exchange=turn @ m.exchange) for k, m in TWO_FERROMAGNETS.items()}
        device = bilayer(barrier, metals=metals, at_left=mixing)
        ends = {"right": replace(device.contacts["right"], exchange=turn @ (0.2, 0.3, 0.0))}
        eq = uf.solve_equilibrium(replace(device, contacts=device.contacts | ends), 0.1, **FEW)
        return along(uf.charge_current(eq)), along(uf.spin_current(eq))

    turn = rotation((1, 2, 3), 1.0)
    (charge, spin), (turned_charge, turned_spin) = currents(np.eye(3)), currents(turn)
    assert turned_charge == pytest.approx(charge, rel=1e-9)
    assert turned_spin == pytest.approx(spin @ turn.T, abs=1e-9)


@pytest.mark.parametrize("kind", BARRIERS)
def test_the_device_turned_around_carries_the_same_current(kind):
    turned = uf.interval({"R": 0.5, "L": 0.5}, size=0.1).with_boundaries({"L_R": lambda x: x[0] == 0.5}, False)
    one, two = (
        uf.charge_current(uf.solve_equilibrium(bilayer(BARRIERS[kind], mesh), 0.1, **FEW)).through("L_R", (1.0,))
        for mesh in (LINE, turned)
    )
    assert two == pytest.approx(one, rel=1e-9)


# Resistances


@pytest.mark.parametrize("mesh", MESHES)
def test_barriers_add_their_resistances_to_those_of_the_metals(mesh):
    r = np.sqrt(1 - 0.6**2)
    area = {"line": 1.0, "triangle": 0.75, "quad": 0.75}.get(mesh, 0.25)
    for barrier, conductance in (("tunnel", 0.7), ("spin-active", 0.7 * 2 / (1 + r)), ("diffusive", 0.7)):
        device = bilayer(BARRIERS[barrier], MESHES[mesh], at_left=uf.Tunnel(conductance=3.0))
        expected = 0.5 / (2 * 2.0) + 0.5 / (2 * 0.7) + 1 / conductance + 1 / 3.0
        assert uf.normal_resistance(device, "left", "right") == pytest.approx(expected / area, rel=1e-10)


def test_strips_apart_conduct_in_parallel():
    # upper and lower strip: 0.5 wide, without conductance between them
    barriers = {"along": uf.Tunnel(conductance=0.0), "lower": uf.Tunnel(conductance=0.7)}
    device = uf.Device(divided("triangle"), METALS, bilayer(uf.Transparent()).contacts, barriers)
    metals = 0.5 / (2 * 2.0) + 0.5 / (2 * 0.7)
    expected = 2 / (1 / metals + 1 / (metals + 1 / 0.7))
    assert uf.normal_resistance(device, "left", "right") == pytest.approx(expected, rel=1e-10)
    with_a_conducting_barrier = replace(device, interfaces=dict(barriers, along=uf.Tunnel(conductance=5.0)))
    assert uf.normal_resistance(with_a_conducting_barrier, "left", "right") < expected


def test_conductances_along_a_barrier_are_in_parallel():
    metals = dict.fromkeys("LR", uf.normal_metal(D=1e6))
    device = bilayer(uf.Tunnel(conductance=lambda x: 1 + x[1] ** 2), divided("quad"), metals=metals)
    assert uf.normal_resistance(device, "left", "right") == pytest.approx(1 / (1 + 1 / 3), rel=1e-6)
