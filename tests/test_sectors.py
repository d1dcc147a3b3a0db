"""Spin sectors: what a device needs is found from it, and gives the same numbers as all spin matrices."""

from dataclasses import replace

import numpy as np
import pytest
from devices import junction, sfs

import usadelfem as uf
from usadelfem.fem import problem as spectral
from usadelfem.fem.sector import full_sector

LINE = uf.interval({"L": 0.5, "R": 0.5}, size=0.1)
FILM = uf.rectangle({"L": 0.5, "R": 0.5}, width=0.5, size=0.25)
BOX = uf.box({"L": 0.5, "R": 0.5}, width=0.5, height=0.5, size=0.5)
Z, TILTED = np.array([0.0, 0.0, 1.0]), np.array([1.0, 2.0, 2.0]) / 3


def magnet(direction, **coefficients):
    return uf.ferromagnet(exchange=2.0 * np.asarray(direction), **coefficients)


def device(left=None, right=None, mesh=LINE, *, interface=None, at_left=None, fields=(None, None), **options):
    """Two metals between reservoirs of gap 1 and phases 0 and 1.2."""
    plain = uf.normal_metal()
    ends = [uf.Reservoir(1.0, 0.0, barrier=at_left), uf.Reservoir(1.0, 1.2)]
    ends = [end if h is None else replace(end, exchange=h) for end, h in zip(ends, fields, strict=True)]
    return uf.Device(
        mesh, {"L": left or plain, "R": right or plain}, dict(zip(("left", "right"), ends, strict=True)),
        {} if interface is None else {"L_R": interface}, **options,
    )  # fmt: skip


def sector_of(made):
    return spectral.build_problem(made, 1).sector


def active(direction, **amounts):
    return uf.SpinActive(**{"conductance": 0.7, "polarization": 0.5, "mixing": 0.4} | amounts, magnetization=direction)


def tensor(*vector):
    return [[(0, 0, 0), vector], [tuple(-v for v in vector), (0, 0, 0)]]


# Detection

SPINLESS = {
    "normal metal": device(),
    "scattering": device(uf.normal_metal(tau_so=1.0, tau_sf=2.0, depairing=0.1)),
    "phases and potential": device(uf.superconductor(gap=lambda x: np.exp(1j * x[0])), A=(0.3,)),
    "theta in one dimension": device(uf.normal_metal(theta=0.3, kappa=0.1)),
    "theta of zero": device(uf.normal_metal(theta=0.0, spin_hall_tensor=np.zeros((2, 2, 3))), mesh=FILM),
    "channels": device(interface=uf.Nazarov(conductance=1.0, transparencies="diffusive")),
    "barrier without spin": device(interface=active(TILTED, polarization=0.0, mixing=0.0)),
    "fields of zero": device(magnet(0 * Z), fields=((0, 0, 0), None)),
}
COLLINEAR = {
    "z": (device(magnet(Z)), Z),
    "minus z": (device(magnet(-Z)), Z),
    "x": (device(magnet((1, 0, 0))), (1, 0, 0)),
    "tilted": (device(magnet(TILTED)), TILTED),
    "antiparallel": (device(magnet(TILTED), magnet(-0.3 * TILTED)), TILTED),
    "rounding": (device(magnet(TILTED), uf.ferromagnet(exchange=lambda x: np.outer(TILTED, np.sin(7 * x)).reshape(
        3, *x.shape[1:]))), TILTED),
    "weak beside strong": (device(magnet(1e-6 * TILTED), magnet(2 * TILTED)), TILTED),
    "contact": (device(fields=((0, 0.3, 0), None)), (0, 1, 0)),
    "barrier": (device(interface=active((1, 2, 2))), TILTED),
    "barrier and magnet": (device(magnet(TILTED), interface=active((-1, -2, -2))), TILTED),
    "barrier of a contact": (device(at_left=active((0, 0, 2))), Z),
    "theta": (device(uf.normal_metal(theta=0.3), mesh=FILM), Z),
    "kappa": (device(uf.normal_metal(kappa=0.3), mesh=FILM), Z),
    "theta in the plane xz": (device(uf.normal_metal(theta=0.3), mesh=FILM, plane="xz"), (0, 1, 0)),
    "theta in the plane yz": (device(magnet((1, 0, 0), theta=0.3), mesh=FILM, plane="yz"), (1, 0, 0)),
    "tensor": (device(uf.normal_metal(spin_hall_tensor=tensor(1, 2, 2)), mesh=FILM), TILTED),
    "SU(2) field": (device(magnet(TILTED, su2=[TILTED])), TILTED),
    "Rashba wire": (device(uf.normal_metal(rashba=0.7)), (0, 1, 0)),
}  # fmt: skip
FULL = {
    "two magnets": device(magnet(Z), magnet((1, 0, 0))),
    "helix": sfs(exchange=lambda x: np.array([np.sin(x[0]), 0 * x[0], np.cos(x[0])])),
    "slightly turned": device(magnet(Z), magnet((1e-9, 0, 1))),
    "weak beside strong": device(magnet((1e-6, 0, 0)), magnet(30 * Z)),
    "contact": device(magnet(Z), fields=((0, 0.3, 0), None)),
    "two contacts": device(fields=((0, 0.3, 0), (0.3, 0, 0))),
    "barrier": device(magnet(Z), interface=active((1, 0, 0))),
    "two barriers": device(interface=active((1, 0, 0)), at_left=active((0, 0, 1))),
    "theta": device(magnet((1, 0, 0), theta=0.3), mesh=FILM),
    "theta and tensor": device(
        uf.normal_metal(theta=0.3), uf.normal_metal(spin_hall_tensor=tensor(1, 0, 0)), mesh=FILM
    ),
    "theta in three dimensions": device(uf.normal_metal(theta=0.3), mesh=BOX),
    "SU(2) field": device(magnet(Z, su2=[(0.1, 0, 0)])),
    "weak SU(2) field": device(magnet(30 * Z, su2=[(1e-6, 0, 0)])),
    "Rashba film": device(uf.normal_metal(rashba=0.7), mesh=FILM),
}


@pytest.mark.parametrize("name", SPINLESS)
def test_without_spin_dependence_one_number_is_left(name):
    own = sector_of(SPINLESS[name])
    assert (own.name, own.entries) == ("spinless", 1)


@pytest.mark.parametrize("name", COLLINEAR)
def test_with_one_spin_axis_two_numbers_are_left(name):
    made, axis = COLLINEAR[name]
    own = sector_of(made)
    assert (own.name, own.entries) == ("collinear", 2)
    assert own.axis == pytest.approx(axis, abs=1e-12)


@pytest.mark.parametrize("name", FULL)
def test_with_several_spin_axes_all_matrices_are_needed(name):
    assert sector_of(FULL[name]).name == "full"


@pytest.mark.parametrize("made", [SPINLESS["normal metal"], COLLINEAR["tilted"][0]])
def test_all_matrices_can_be_asked_for(made):
    assert spectral.build_problem(made, 1, sector="full").sector.name == "full"


# The same numbers

SOLVED = {name: made for name, made in SPINLESS.items() if name not in ("fields of zero", "theta of zero")}
ALIKE = ("minus z", "x", "kappa", "tensor", "theta in the plane xz", "barrier of a contact")
SOLVED |= {f"collinear {name}": made for name, (made, _) in COLLINEAR.items() if name not in ALIKE}
SOLVED |= {
    "everything spinless": device(
        uf.superconductor(gap=0.5j, D=1.3, tau_so=1.0, tau_sf=2.0, depairing=0.1), uf.normal_metal(N0=0.5), FILM,
        interface=uf.Tunnel(conductance=0.6), at_left=uf.Nazarov(conductance=1.0, transparencies=[0.3, 0.9]),
        A=(0.2, 0.4),
    ),
    "everything collinear": device(
        magnet(Z, gap=0.5j, tau_so=1.0, tau_sf=2.0, depairing=0.1, theta=0.3, kappa=0.2),
        magnet(-0.5 * Z, su2=[0.4 * Z, -0.2 * Z], spin_hall_tensor=tensor(0, 0, 0.4)), FILM,
        interface=active((0, 0, 1)), at_left=active((0, 0, -3), polarization=1.0), fields=((0, 0, 0.3), None),
        A=(0.2, 0.4),
    ),
    "tilted scattering": device(magnet(TILTED, tau_so=1.0, tau_sf=2.0, depairing=0.1), interface=active(TILTED)),
    "tilted tensor": device(magnet(TILTED, spin_hall_tensor=tensor(1, 2, 2)), mesh=FILM),
}  # fmt: skip
OBSERVABLES = {
    "riccati": lambda eq: eq.riccati,
    "pair amplitude": lambda eq: uf.pair_amplitude(eq, None).nodal,
    "charge current": lambda eq: uf.charge_current(eq).quadrature,
    "spin current": lambda eq: uf.spin_current(eq).quadrature,
    "charge flux": lambda eq: uf.charge_current(eq).through("L_R"),
    "spin flux": lambda eq: uf.spin_current(eq).through("L_R"),
    "spin density": lambda eq: uf.spin_density(eq).quadrature,
    "torque": lambda eq: uf.spin_torque(eq).quadrature,
    "free energy": lambda eq: np.array(0.0 if eq.problem.linearized else uf.free_energy(eq)),
}
SPECTRA = {
    "matrices": lambda spec: np.concatenate(spec.equation.matrices(spec.states), axis=-1),
    "density of states": lambda spec: uf.density_of_states(spec).nodal,
    "its spin": lambda spec: uf.density_of_states(spec, spin=(0.4, 2, 1)).nodal,
    "pair amplitude": lambda spec: uf.pair_amplitude(spec).nodal,
    "charge current": lambda spec: uf.charge_current(spec).quadrature,
    "spin current": lambda spec: uf.spin_current(spec).quadrature,
    "charge flux": lambda spec: uf.charge_current(spec).through("L_R"),
    "spin flux": lambda spec: uf.spin_current(spec).through("L_R"),
}


def check_equal(one, two, observables):
    for name, observe in observables.items():
        first, second = observe(one), observe(two)
        assert abs(first - second).max() <= 1e-10 * max(1.0, abs(second).max()), name


@pytest.mark.parametrize("linearized", [False, True])
@pytest.mark.parametrize("name", SOLVED)
def test_equilibrium_is_the_same_with_all_matrices(name, linearized):
    options = {"frequencies": 3, "linearized": linearized}
    one, two = (uf.solve_equilibrium(SOLVED[name], 0.2, sector=s, **options) for s in ("auto", "full"))
    assert one.problem.sector.entries < two.problem.sector.entries == 4
    check_equal(one, two, OBSERVABLES)


@pytest.mark.parametrize("name", SOLVED)
def test_spectra_are_the_same_with_all_matrices(name):
    energies = [-0.7, 0.0, 0.4, 0.95, 2.0]
    one, two = (uf.solve_spectrum(SOLVED[name], energies, broadening=0.05, sector=s) for s in ("auto", "full"))
    assert one.states.shape[2] < two.states.shape[2] == 8
    check_equal(one, two, SPECTRA)


@pytest.mark.parametrize("method", ["anderson", "newton"])
@pytest.mark.parametrize("exchange", [(0, 0, 0), 0.5 * TILTED])
def test_self_consistent_gaps_are_the_same_with_all_matrices(exchange, method):
    metal = uf.superconductor(Tc=1.0, exchange=exchange, tau_so=2.0)
    made = uf.Device(FILM, {"L": metal, "R": uf.superconductor(Tc=0.8)}, {}, B=0.5)
    options = {"method": method, "tolerance": 1e-12, "frequencies": 6}
    one, two = (uf.solve_equilibrium(made, 0.3, sector=s, **options) for s in ("auto", "full"))
    assert abs(uf.gap(one).quadrature).max() > 0.5
    check_equal(one, two, OBSERVABLES | {"gap": lambda eq: uf.gap(eq).quadrature})


@pytest.mark.parametrize("exchange", [(0, 0, 0), TILTED])
def test_critical_temperatures_are_the_same_with_all_matrices(exchange, monkeypatch):
    metals = {"L": uf.superconductor(Tc=1.0), "R": uf.ferromagnet(exchange=exchange, tau_so=2.0)}
    made = uf.Device(uf.interval({"L": 1.0, "R": 0.5}, size=0.1), metals)
    one = uf.critical_temperature(made, cutoff=20.0)
    monkeypatch.setattr(spectral, "find_sector", lambda *arguments: full_sector())
    assert uf.critical_temperature(made, cutoff=20.0) == pytest.approx(one, abs=1e-10)
    assert 0.1 < one < 0.9


def test_minigaps_are_the_same_with_all_matrices():
    made = junction(uf.interval({"N": 1.0}, size=0.1), {"N": uf.normal_metal()}, 1.0)
    one, two = (uf.minigap(uf.solve_spectrum(made, np.linspace(0, 2, 11), sector=s)) for s in ("auto", "full"))
    assert one == pytest.approx(two, abs=1e-9)


def test_rounding_does_not_grow_out_of_a_sector():
    tilted = np.array([0.6, 0.3, -0.5])
    eq = uf.solve_equilibrium(device(magnet(tilted, tau_so=3.0), magnet(-tilted)), 0.02, frequencies=24)
    sector = eq.problem.sector
    assert sector.name == "collinear"
    assert abs(eq.riccati - sector.expand(sector.reduce(eq.riccati))).max() < 1e-14
