"""Charge and spin diffusion in the normal state against closed forms."""

from dataclasses import replace

import numpy as np
import oracle
import pytest

import usadelfem as uf

D, TAU, W = 1.3, 0.4, 2.0
LAMBDA = np.sqrt(D * TAU)


def strip(length=8.0, size=0.1, *, contacts, plane="xy", **material):
    """A long strip of width W with tau_so; y runs from 0 to W."""
    mesh = uf.rectangle({"N": length}, width=W, size=size)
    material = {"D": D, "tau_so": TAU, "N0": 0.7} | material
    return uf.solve_normal_state(uf.Device(mesh, {"N": uf.normal_metal(**material)}, contacts, plane=plane))


def driven(field=0.5, length=8.0):
    """Contacts at the ends with potentials that make a field E = -d mu/dx."""
    return {"left": uf.NormalContact(potential=field * length), "right": uf.NormalContact(potential=0.0)}


def across(field, count=21, x=4.0):
    y = np.linspace(0, W, count)
    return y - W / 2, field.at([np.full(count, x), y])


SHORT = {"tau_so": 0.1, "theta": 1e-4}  # lambda_s = 0.36: the contacts are far away in the middle


def edge_profile(y, e_field=0.5):
    """theta E lambda_s sinh(y/lambda_s)/cosh(W/2 lambda_s), to first order in theta."""
    length = np.sqrt(D * SHORT["tau_so"])
    return SHORT["theta"] * e_field * length * np.sinh(y / length) / np.cosh(W / (2 * length))


def test_spin_hall_effect_accumulates_spin_at_the_edges():
    y, s = across(uf.spin_accumulation(strip(contacts=driven(0.5), size=0.1, **SHORT)))
    assert np.abs(s[2] - edge_profile(y)).max() < 1e-3 * np.abs(s[2]).max()
    assert np.abs(s[:2]).max() < 1e-12 * np.abs(s[2]).max()


@pytest.mark.parametrize(("plane", "axis", "sign"), [("xy", 2, 1), ("xz", 1, -1), ("yz", 0, 1)])
def test_spin_hall_effect_couples_to_the_normal_of_the_plane(plane, axis, sign):
    reference = uf.spin_accumulation(strip(contacts=driven(), theta=0.1, kappa=0.2, size=0.4))
    other = uf.spin_accumulation(strip(contacts=driven(), theta=0.1, kappa=0.2, size=0.4, plane=plane))
    assert np.allclose(other.nodal[axis], sign * reference.nodal[2], rtol=0, atol=1e-12)


def test_spin_hall_accumulation_converges_with_the_cube_of_the_mesh_size():
    errors = []
    for size in (0.25, 0.125):
        y, s = across(uf.spin_accumulation(strip(contacts=driven(), size=size, **SHORT)), count=301)
        errors.append(np.sqrt(np.mean((s[2] - edge_profile(y)) ** 2)))
    assert np.log2(errors[0] / errors[1]) > 2.5


def test_inverse_spin_hall_effect_makes_a_transverse_voltage():
    # no charge leaves: the integral of j_y = -sigma (d_y mu + theta d_x s) vanishes, so that the voltage integrated
    # along the strip is theta W s at the end where spin is injected
    theta, injected = 0.1, 0.3
    ns = strip(contacts={"left": uf.CurrentContact(spin_current=(0, 0, injected))}, theta=theta, size=0.2)
    mu, s = uf.potential(ns), uf.spin_accumulation(ns)
    voltage = mu.average("top") - mu.average("bottom")
    assert voltage * 8.0 == pytest.approx(theta * W * (s.average("left") - s.average("right"))[2], rel=1e-9)
    assert s.average("left")[2] == pytest.approx(injected * LAMBDA / (0.7 * D * W * (1 + theta**2)), rel=1e-2)
    assert np.abs(uf.charge_current(ns).through("left")) < 1e-12


def test_hall_voltage_of_a_spin_current_and_spin_current_of_a_voltage_are_reciprocal():
    # charge current through bottom-top by spin at left, and spin current at left by a voltage bottom-top
    def solve(left, top):
        mesh = uf.rectangle({"N": 1.0}, width=W, size=0.1)
        mesh = mesh.with_boundaries({"p": lambda x: (x[1] > W - 1e-9) & (abs(x[0] - 0.5) < 0.21)})
        contacts = {"p": uf.NormalContact(potential=top), "bottom": uf.NormalContact()}
        contacts["left"] = uf.NormalContact(spin=(0, 0, left))
        graded = uf.normal_metal(D=D, tau_so=TAU, theta=lambda x: 0.2 + 0.1 * x[1], kappa=0.1)
        device = uf.Device(
            mesh.with_boundaries({"left": lambda x: (x[0] < 1e-9) & (x[1] > 0.5)}), {"N": graded}, contacts
        )
        return uf.solve_normal_state(device)

    charge = uf.charge_current(solve(1.0, 0.0)).through("p")
    spin = 2 * uf.spin_current(solve(0.0, 1.0)).through("left")[2]
    assert abs(charge) > 1e-3
    assert charge == pytest.approx(-spin, rel=1e-10)


def test_spin_swapping_in_a_strip():
    # a current of y spins along x, J_x^y = -D d_x s_y, is swapped into J_y^x = D kappa d_x s_y of x spins along y. To
    # first order in kappa s_x obeys D (d_x^2 + d_y^2) s_x = s_x/tau with d_y s_x = kappa d_x s_y at the edges.
    kappa, q = 1e-4, 1 / LAMBDA
    contacts = {"left": uf.NormalContact(spin=(0, 1.0, 0))}
    ns = strip(contacts=contacts, kappa=kappa, length=8.0)
    x, y = np.full(21, 1.0), np.linspace(0, W, 21)
    s = uf.spin_accumulation(ns).at([x, y])
    assert s[1] == pytest.approx(np.full(21, np.exp(-q)), rel=1e-4)
    assert s[0] == pytest.approx(_swapped(kappa, q, x[0], y), abs=2e-3 * np.abs(s[0]).max())


def _swapped(kappa, q, x, y, terms=4000):
    """s_x(x, y) for s_y = exp(-q x), in the odd Neumann modes sin(k (y - W/2)), k = (2m + 1) pi / W; s_x(0, y) = 0.

    Tested with a mode, the edge flux gives c'' - (k^2 + q^2) c = (4/W) kappa q exp(-q x) sin(k W/2).
    """
    m = np.arange(terms)
    k = (2 * m + 1) * np.pi / W
    source = 4 / W * kappa * q * np.sin(k * W / 2)
    c = -source / k**2 * (np.exp(-q * x) - np.exp(-np.sqrt(k**2 + q**2) * x))
    return (c[:, None] * np.sin(k[:, None] * (y - W / 2))).sum(axis=0)


def wire(length=6.0, **material):
    mesh = uf.interval({"N": length}, size=0.05)
    contacts = {"left": uf.NormalContact(spin=(1.0, 0.0, 0.0))}
    return uf.solve_normal_state(uf.Device(mesh, {"N": uf.normal_metal(D=D, **material)}, contacts))


def test_injected_spin_decays_over_the_spin_diffusion_length():
    x = np.linspace(0, 2, 9)
    s = uf.spin_accumulation(wire(tau_so=TAU, length=12.0)).at(x[None])
    assert s[0] == pytest.approx(np.exp(-x / LAMBDA), rel=1e-5)


def test_magnetic_impurities_relax_spin_as_well():
    one, two = (wire(tau_so=a, tau_sf=b).values for a, b in ((TAU, np.inf), (2 * TAU, 2 * TAU)))
    assert np.allclose(one, two, rtol=0, atol=1e-13)


def test_hanle_precession_about_an_exchange_field():
    # D s'' = s/tau + 2 h x s with h along z: s_x + i s_y = exp(-k x), k^2 = (1/tau + 2 i h)/D
    h, x = 0.9, np.linspace(0, 2, 9)
    s = uf.spin_accumulation(wire(tau_so=TAU, exchange=(0, 0, h), length=12.0)).at(x[None])
    assert s[0] + 1j * s[1] == pytest.approx(np.exp(-np.sqrt((1 / TAU + 2j * h) / D) * x), rel=1e-4)


def test_spin_turns_in_an_su2_field_without_relaxing():
    # D_x s = d_x s + SU_x x s = 0 for a closed end: a rotation about SU by the angle -|SU| x
    s = uf.spin_accumulation(wire(su2=[(0, 0, 0.8)])).at([[1.0, 2.0]])
    assert s[0] == pytest.approx(np.cos(0.8 * np.array([1, 2])), abs=1e-6)
    assert s[1] == pytest.approx(-np.sin(0.8 * np.array([1, 2])), abs=1e-6)


@pytest.mark.parametrize(("axis", "factor"), [(0, 4), (2, 8)])
def test_rashba_coupling_relaxes_spin_with_the_dyakonov_perel_rates(axis, factor):
    alpha, mesh = 1.5, uf.rectangle({"N": 3.0}, width=3.0, size=0.1)
    spin = np.eye(3)[axis]
    contacts = {side: uf.NormalContact(spin=spin) for side in ("left", "right", "top", "bottom")}
    ns = uf.solve_normal_state(uf.Device(mesh, {"N": uf.normal_metal(D=D, tau_so=0.3, rashba=alpha)}, contacts))
    # total spin balance in the covariant form: outflow = -(relaxation + precession), the latter checked by its torque
    outflow = sum(uf.spin_current(ns).through(side)[axis] for side in contacts)
    precession = np.cross(np.moveaxis(uf.spin_current(ns).quadrature, 0, -1), _rashba(alpha)[:, None, None]).sum(axis=0)
    torque = np.einsum("cqa,cq->a", precession, ns.problem.space.dx)[axis]
    relaxed = uf.spin_accumulation(ns).integral()[axis] / 0.3
    assert outflow == pytest.approx(torque - relaxed, rel=1e-9)
    # precession of the diffusing spins is the Dyakonov-Perel rate where s is uniform
    uniform = ns.values * 0 + np.array([0, *spin])
    rate = -np.cross(np.moveaxis(_uniform_flux(ns, uniform), 0, -1), _rashba(alpha)[:, None, None]).sum(axis=0)
    assert rate[0, 0, axis] == pytest.approx(factor * D * alpha**2, rel=1e-12)


def _rashba(alpha):
    return np.array([(0, -2 * alpha, 0), (2 * alpha, 0, 0)])


def _uniform_flux(ns, values):
    return uf.spin_current(replace(ns, values=values)).quadrature


@pytest.fixture(scope="module")
def everything():
    """Graded and jumping coefficients, all couplings, four contacts of both kinds."""
    mesh = uf.rectangle({"A": 1.0, "B": 1.0}, width=1.0, size=0.2)
    a = uf.normal_metal(
        D=lambda x: 1 + x[0],
        N0=1.5,
        theta=lambda x: 0.3 * x[1],
        kappa=lambda x: 0.2 + 0.1 * x[0],
        tau_so=0.5,
        rashba=0.7,
    )
    b = uf.normal_metal(D=0.4, theta=-0.2, kappa=0.3, tau_so=lambda x: 1 + x[1], exchange=(0.3, 0.1, 0.5))
    contacts = {
        "left": uf.NormalContact(potential=lambda x: 1 + 0.1 * x[1], spin=(0.2, 0, 0.1)), "right": uf.NormalContact(),
        "top": uf.CurrentContact(current=0.3, spin_current=(0.1, 0, 0.2)),
    }  # fmt: skip
    return uf.solve_normal_state(uf.Device(mesh, {"A": a, "B": b}, contacts))


def test_charge_is_conserved_to_solver_precision(everything):
    current = uf.charge_current(everything)
    flows = [current.through(name) for name in ("left", "right", "top")]
    assert flows[2] == pytest.approx(-0.3, rel=1e-12)
    assert abs(sum(flows)) < 1e-12 * max(map(abs, flows))


def test_charge_current_is_the_same_through_every_cross_section():
    ns = strip(contacts=driven(), theta=lambda x: 0.3 * x[1], kappa=0.2, size=0.25)
    current, mesh = uf.charge_current(ns), ns.problem.space.mesh
    for x in (1.3, 4.0, 6.1):
        left = mesh.p[0, mesh.t].mean(axis=0) < x
        first, second = mesh.f2t
        section = np.flatnonzero((second >= 0) & (left[first] != left[second]))
        assert current.through(section, into=(1, 0)) == pytest.approx(current.through("right"), rel=1e-12)


def test_spin_is_injected_as_given(everything):
    assert np.allclose(uf.spin_current(everything).through("top"), (-0.1, 0.0, -0.2), rtol=0, atol=1e-12)


def test_current_densities_are_the_formulas_of_section_nine():
    # in 3D, uniform coefficients: J_k = -D d_k n + D theta eps_akj d_j S^a and its partner, by explicit loops
    mesh = uf.box({"N": 1.0}, width=1.0, height=1.0, size=0.5)
    theta, kappa, eps = 0.3, 0.4, oracle.levi_civita()
    device = uf.Device(mesh, {"N": uf.normal_metal(D=D, theta=theta, kappa=kappa)}, {"left": uf.NormalContact()})
    ns = uf.solve_normal_state(device, order=1)
    slope = np.random.default_rng(2).normal(size=(4, 3))  # d_j of (n, Sx, Sy, Sz)
    ns = replace(ns, values=(slope @ ns.problem.space.nodes).T)
    n, s = slope[0], slope[1:]
    charge, spin = uf.charge_current(ns).quadrature[:, 0, 0], uf.spin_current(ns).quadrature[:, :, 0, 0]
    for k in range(3):
        expected = -D * n[k] + D * theta * sum(eps[a, k, j] * s[a, j] for a in range(3) for j in range(3))
        assert charge[k] == pytest.approx(2 * expected)
        for b in range(3):
            expected = -D * s[b, k] + D * theta * sum(eps[b, k, j] * n[j] for j in range(3))
            expected -= D * kappa * ((k == b) * np.trace(s) - s[k, b])
            assert spin[b, k] == pytest.approx(expected)


def test_normal_resistance_agrees():
    mesh = uf.rectangle({"A": 1.0, "B": 1.0}, width=0.5, size=0.2)
    materials = {"A": uf.normal_metal(D=2.0), "B": uf.normal_metal(N0=0.3)}
    contacts = {"left": uf.NormalContact(potential=1.0), "right": uf.NormalContact()}
    device = uf.Device(mesh, materials, contacts)
    current = uf.charge_current(uf.solve_normal_state(device)).through("right")
    assert 1 / current == pytest.approx(uf.normal_resistance(device, "left", "right"), rel=1e-12)


def test_floating_device_has_zero_mean_potential():
    contacts = {"left": uf.CurrentContact(current=1.0), "right": uf.CurrentContact(current=-1.0)}
    ns = strip(contacts=contacts, size=0.4, tau_so=np.inf)
    mu = uf.potential(ns)
    assert abs(mu.integral()) < 1e-10
    assert mu.average("left") - mu.average("right") == pytest.approx(8.0 / (2 * 0.7 * D * W), rel=1e-10)


@pytest.mark.parametrize(
    ("contacts", "message"),
    [
        ({}, "nothing drives"),
        ({"left": uf.Reservoir(1.0)}, "'left' is Reservoir"),
        ({"left": uf.CurrentContact(current=1.0)}, "charge currents of left"),
        ({"left": uf.CurrentContact(spin_current=(0, 1.0, 0)), "right": uf.CurrentContact()}, "y spin currents"),
        ({"left": uf.NormalContact(), "top": uf.NormalContact(potential=1.0)}, "'top' touches 'left'"),
    ],
)
def test_bad_contacts_are_refused(contacts, message):
    with pytest.raises(uf.errors.DeviceError, match=message):
        strip(contacts=contacts, size=1.0, tau_so=np.inf)


WIRE = uf.interval({"N": 1.0}, size=0.5)
BIASED = {
    "a potential": (uf.NormalContact(potential=1.0), "voltage"),
    "a potential in space": (uf.NormalContact(potential=lambda x: x[0] + 1.0), "voltage"),
    "a spin accumulation": (uf.NormalContact(spin=(0, 0.1, 0)), "spin_bias"),
    "a current": (uf.CurrentContact(), "allowed is a Reservoir"),
    "a temperature": (uf.Reservoir(gap=0, temperature=0.2), "temperature 0.2 and the solve 0.1"),
}


@pytest.mark.parametrize("name", BIASED)
def test_contacts_that_are_not_in_equilibrium_are_refused_there(name):
    contact, message = BIASED[name]
    device = uf.Device(WIRE, {"N": uf.normal_metal()}, {"left": contact})
    with pytest.raises(uf.errors.DeviceError, match=f"'left'.*{message}"):
        uf.solve_equilibrium(device, 0.1)


def test_a_reservoir_at_the_temperature_of_the_solve_is_in_equilibrium():
    def device(**own):
        return uf.Device(WIRE, {"N": uf.superconductor(gap=1.0)}, {"left": uf.Reservoir(gap=0.7, **own)})

    one, two = (uf.solve_equilibrium(device(**own), 0.1) for own in ({}, {"temperature": 0.1}))
    assert (one.riccati == two.riccati).all()
    hot = uf.Device(WIRE, {"N": uf.superconductor(Tc=1.0)}, {"left": uf.Reservoir(temperature=0.5)})
    assert uf.solve_equilibrium(hot, 0.5)
    with pytest.raises(uf.errors.DeviceError, match=r"temperature 0\.5 and the solve 0\.4"):
        uf.solve_equilibrium(hot.with_phase("left", 0.0), 0.4)


def test_a_normal_contact_is_a_normal_reservoir_with_a_voltage_and_a_spin_bias():
    ends = {"left": {"potential": 0.3, "spin": (0.0, 0.1, 0.2)}, "right": {"potential": -0.1}}
    names = {"potential": "voltage", "spin": "spin_bias"}
    contacts = {name: uf.NormalContact(**own) for name, own in ends.items()}
    reservoirs = {
        name: uf.Reservoir(gap=0, temperature=0.1, exchange=(0, 0, 1), **{names[key]: v for key, v in own.items()})
        for name, own in ends.items()
    }  # fmt: skip
    one, two = (strip(contacts=own, length=2.0, size=0.5, theta=0.2) for own in (contacts, reservoirs))
    assert (one.values == two.values).all()
    assert "voltage=0.3" in repr(contacts["left"])


def test_the_normal_state_refuses_barriers_of_contacts():
    with pytest.raises(uf.errors.DeviceError, match="'left' has a barrier"):
        strip(contacts={"left": uf.Reservoir(gap=0, barrier=uf.Tunnel(conductance=1.0))}, size=1.0)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.inf, np.nan, "hot", [0.1, 0.2], (0.1, 0.2), lambda x: x])
def test_temperatures_of_reservoirs_that_are_none_are_refused(temperature):
    with pytest.raises(uf.errors.DeviceError, match="reservoir: temperature"):
        uf.Reservoir(gap=0, temperature=temperature)


def test_total_current_is_not_a_function():
    with pytest.raises(uf.errors.DeviceError, match="allowed is the total"):
        uf.CurrentContact(current=lambda x: x[0])


def test_pauli_term_of_a_normal_state_is_refused(everything):
    with pytest.raises(uf.errors.ObservableError, match="pauli=True"):
        uf.spin_density(everything, pauli=True)
    assert uf.spin_density(everything).shape == (3,)
