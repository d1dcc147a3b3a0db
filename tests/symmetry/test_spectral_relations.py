"""What retarded functions must obey: analyticity in the energy, sum rules, symmetries, conservation."""

import numpy as np
import pytest
from devices import junction, rotation, sfs

import usadelfem as uf

GAMMA = 0.3  # as wide as this, spectra are smooth enough for a few dozen energies
X = np.array([[0.03, 0.21, 0.5, 0.88]])
TWISTED = {"exchange": lambda x: 2.0 * np.array([np.sin(2 * x[0]), 0.3 + 0 * x[0], np.cos(2 * x[0])]), "tau_so": 2.0}
BARRIERS = {
    "tunnel": uf.Tunnel(conductance=0.7),
    "spin-active": uf.SpinActive(conductance=0.7, polarization=0.6, mixing=-0.9, magnetization=(1, 2, -2)),
    "channels": uf.Nazarov(conductance=0.7, transparencies="diffusive"),
}


def bilayer(barrier, mesh=None, phase=1.0, **right):
    """Two metals with a barrier between them, another one towards the left reservoir."""
    mesh = uf.interval({"L": 0.5, "R": 0.5}, size=0.1) if mesh is None else mesh
    metals = {"L": uf.normal_metal(D=2.0), "R": uf.ferromagnet(**{"exchange": (2.0, 0, 0.5), "N0": 0.7} | right)}
    contacts = {"left": uf.Reservoir(1.0, -phase / 2, barrier=barrier), "right": uf.Reservoir(1.0, phase / 2)}
    return uf.Device(mesh, metals, contacts, {"L_R": barrier})


def superconducting_strip():
    """Gap, fields and vector potential in two dimensions, spin-charge coupling included."""
    mesh = uf.rectangle({"S": 1.0}, width=0.4, size=0.2)
    metal = uf.superconductor(
        gap=lambda x: 0.8 * np.exp(0.4j * x[1]), exchange=(0.3, 0.5, 0.0), theta=0.3, kappa=0.2, rashba=0.5, tau_sf=8.0,
        depairing=0.05,
    )  # fmt: skip
    return uf.Device(mesh, {"S": metal}, {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 0.8)}, A=(0.2, -0.1))


DEVICES = {
    "twisted": lambda: sfs(1.0, **TWISTED),
    "spinless": lambda: junction(uf.interval({"N": 1.0}, size=0.1), {"N": uf.normal_metal(depairing=0.1)}, 2.0),
    "collinear": lambda: sfs(1.0, exchange=(1.0, 2.0, 2.0), tau_so=2.0, tau_sf=4.0),
    "strip": superconducting_strip,
} | {name: lambda barrier=barrier: bilayer(barrier) for name, barrier in BARRIERS.items()}


def at_frequency(device, w):
    """The solution at one Matsubara frequency, which is the lowest one of a certain temperature."""
    return uf.solve_equilibrium(device, w / np.pi, quadrature="plain", frequencies=1)


def line(count, scale):
    """Energies scale tan(u) at the midpoints of u in (0, pi/2): equal weights for a Lorentzian of that width."""
    return scale * np.tan((np.arange(count) + 0.5) * np.pi / (2 * count))


# Analyticity


@pytest.mark.parametrize("name", DEVICES)
def test_the_matsubara_function_is_the_poisson_integral_of_the_retarded_one(name):
    # a bounded function, analytic at Re w > 0, at w0 from its values on the line Re w = broadening
    device, scale = DEVICES[name](), 1.2
    energies = line(48, scale)
    spec = uf.solve_spectrum(device, np.concatenate([-energies, energies]), broadening=GAMMA)
    points = X if name != "strip" else np.array([[0.1, 0.5, 0.77], [0.05, 0.2, 0.33]])
    exact = at_frequency(device, GAMMA + scale).green(points)[0]
    assert abs(spec.green(points).mean(axis=0) - exact).max() < 1e-5
    normal = uf.density_of_states(spec).at(points).mean(axis=0)
    assert normal == pytest.approx(0.5 * (exact[0, 0] + exact[1, 1]).real, abs=1e-5)


def flow(result, observable):
    """What flows through the barrier in the middle, if there is one, or else into the right reservoir."""
    return observable(result).through("L_R" if result.device.interfaces else "right")


def moment(device, w, observable):
    """What a Matsubara frequency w adds to a current, divided by 2 pi T."""
    return flow(at_frequency(device, w), observable) / (2 * w)


@pytest.mark.parametrize("name", [*BARRIERS, "spinless", "twisted", "collinear", "strip"])
def test_the_current_at_a_matsubara_frequency_is_an_integral_over_the_spectral_current(name):
    # m(w0) = (2/pi) int dE E j(E)/((w0 - Gamma)^2 + E^2)
    device, scale = DEVICES[name](), 1.2
    energies = line(48, scale)
    spec = uf.solve_spectrum(device, energies, broadening=GAMMA)
    for observable in (uf.charge_current, uf.spin_current):
        integral = np.tensordot(energies / scale, flow(spec, observable), axes=(0, 0)) / len(energies)
        assert integral == pytest.approx(moment(device, GAMMA + scale, observable), abs=1e-4)


def gauss(count, start, end):
    """Points and weights of Gaussian quadrature."""
    x, weight = np.polynomial.legendre.leggauss(count)
    return start + (end - start) * (x + 1) / 2, (end - start) * weight / 2


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # single frequencies, up to very high ones
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
@pytest.mark.parametrize(
    ("name", "observable"),
    [("twisted", uf.charge_current), ("spin-active", uf.charge_current), ("spin-active", uf.spin_current)],
)
def test_the_integral_of_the_spectral_current_with_tanh_is_the_sum_over_matsubara_frequencies(name, observable):
    # int_0^inf dE tanh(E/2T) Im m(Gamma - iE) = 2 pi T sum_n m(Gamma + w_n)
    device, temperature = DEVICES[name](), 0.8
    (low, low_weights), (root, root_weights) = gauss(40, 0, 3), gauss(24, np.sqrt(3), 14)
    energies = np.concatenate([low, root**2])
    factor = np.concatenate([low_weights, 2 * root * root_weights]) * np.tanh(energies / (2 * temperature))
    spectral = flow(uf.solve_spectrum(device, energies, broadening=GAMMA), observable)
    frequencies = GAMMA + np.pi * temperature * (2 * np.arange(60) + 1)
    total = 2 * np.pi * temperature * sum(moment(device, w, observable) for w in frequencies)
    assert np.tensordot(factor, spectral, axes=(0, 0)) == pytest.approx(total, abs=2e-7)
    assert abs(total).max() > 1e-4


@pytest.mark.parametrize("name", DEVICES)
def test_no_states_are_lost(name):
    # int dE (N(E)/N0 - 1) = 0
    device, scale = DEVICES[name](), 1.5
    energies = line(48, scale)
    spec = uf.solve_spectrum(device, energies, broadening=GAMMA)
    excess = uf.density_of_states(spec).integral() - spec.problem.space.dx.sum()
    weights = (energies**2 + scale**2) / scale * np.pi / (2 * len(energies))
    assert abs(weights @ excess) < 1e-4 * (weights @ abs(excess))


# Symmetries


@pytest.mark.parametrize("name", ["twisted", "collinear", "strip", "spin-active"])
def test_negative_energies_mirror_positive_ones(name):
    energies = np.array([0.4, 0.9, 1.7])
    spec = uf.solve_spectrum(DEVICES[name](), np.concatenate([-energies, energies]), broadening=0.05)
    total = uf.density_of_states(spec).integral()
    assert total[:3][::-1] == pytest.approx(total[3:], rel=1e-9)
    current = uf.charge_current(spec).through("left")
    assert current[:3][::-1] == pytest.approx(-current[3:], rel=1e-7)


@pytest.mark.parametrize("name", DEVICES)
def test_states_at_negative_energies_solve_the_equation_there(name):
    spec = uf.solve_spectrum(DEVICES[name](), [-1.1, -0.3], broadening=0.05)
    for energy, state in zip(spec.energies, spec.states, strict=True):
        residual, scale = spec.equation.residual(0.05 - 1j * energy, state)
        assert abs(residual).max() < 1e-8 * scale
        assert abs(spec.equation.clamp(0.05 - 1j * energy, state) - state).max() < 1e-12


@pytest.mark.parametrize("name", DEVICES)
def test_the_densities_of_both_spins_add_up_to_the_whole(name):
    spec = uf.solve_spectrum(DEVICES[name](), [0.3, 1.2], broadening=0.05)
    for direction in np.array([(0, 0, 1), (1, -2, 2)]):
        up, down = (uf.density_of_states(spec, spin=s * direction).nodal for s in (1, -1))
        assert up + down == pytest.approx(uf.density_of_states(spec).nodal, abs=1e-10)
        assert up == pytest.approx(uf.density_of_states(spec, spin=3 * direction).nodal, abs=1e-13)


def test_spin_up_at_an_energy_is_spin_down_at_the_opposite_one_where_spin_is_conserved():
    spec = uf.solve_spectrum(DEVICES["collinear"](), [-1.2, -0.3, 0.3, 1.2], broadening=0.05)
    up, down = (uf.density_of_states(spec, spin=(s, 2 * s, 2 * s)).nodal for s in (1, -1))
    assert up == pytest.approx(down[::-1], abs=1e-9)
    assert abs(up - down).max() > 0.1


def gauged(chi):
    """A wire before (chi = 0) and after a gauge transformation with the phase 2 chi sin(2 x)."""

    def phase(x):
        return 2 * chi * np.sin(2 * x[0])

    metal = uf.superconductor(gap=lambda x: 0.5 * np.exp(1j * (x[0] + phase(x))), exchange=(0.5, 0.0, 0.3))
    ends = {"left": uf.Reservoir(1.0, phase), "right": uf.Reservoir(1.0, lambda x: 0.8 + phase(x))}
    mesh = uf.interval({"S": 1.0}, size=0.01)
    return uf.Device(mesh, {"S": metal}, ends, A=lambda x: 0.3 + 2 * chi * np.cos(2 * x))


def test_a_gauge_transformation_changes_neither_density_of_states_nor_spectral_current():
    one, two = (uf.solve_spectrum(gauged(chi), [0.2, 0.9, 1.5], broadening=0.05) for chi in (0.0, 1.0))
    assert uf.density_of_states(one).at(X) == pytest.approx(uf.density_of_states(two).at(X), abs=1e-5)
    for current in (uf.charge_current, uf.spin_current):
        flows = [current(spec).through("right") for spec in (one, two)]
        assert flows[0] == pytest.approx(flows[1], abs=2e-5)


def test_a_common_phase_changes_nothing():
    def solve(shift):
        contacts = {side: uf.Reservoir(1.0, own + shift) for side, own in (("left", 0.0), ("right", 0.8))}
        device = uf.Device(uf.interval({"F": 1.0}, size=0.1), {"F": uf.ferromagnet(**TWISTED)}, contacts)
        return uf.solve_spectrum(device, [0.2, 0.9, 1.5], broadening=0.05)

    one, two = solve(0.0), solve(1.3)
    assert uf.density_of_states(one).nodal == pytest.approx(uf.density_of_states(two).nodal, abs=1e-9)
    assert uf.charge_current(one).nodal == pytest.approx(uf.charge_current(two).nodal, abs=1e-9)


def test_turning_all_spins_turns_the_spin_current_and_leaves_the_density_of_states():
    turn = rotation((1, 2, -1), 0.7)

    def solve(matrix):
        def field(x):
            return np.einsum("ab,b...->a...", matrix, TWISTED["exchange"](x))

        barrier = uf.SpinActive(conductance=0.7, polarization=0.6, mixing=-0.9, magnetization=matrix @ (1, 2, -2))
        su2 = [matrix @ (0.5, 0.0, 0.3)]
        device = bilayer(barrier, exchange=field, su2=su2, tau_so=2.0)
        return uf.solve_spectrum(device, [0.2, 0.9, 1.5], broadening=0.05)

    one, two = solve(np.eye(3)), solve(turn)
    assert uf.density_of_states(one).nodal == pytest.approx(uf.density_of_states(two).nodal, abs=1e-9)
    along = [uf.density_of_states(spec, spin=s).nodal for spec, s in ((one, (0, 0, 1)), (two, turn @ (0, 0, 1)))]
    assert along[0] == pytest.approx(along[1], abs=1e-9)
    currents = [uf.spin_current(spec).nodal for spec in (one, two)]
    assert np.einsum("ab,eb...->ea...", turn, currents[0]) == pytest.approx(currents[1], abs=1e-8)
    assert abs(currents[0]).max() > 1e-2


# Conservation

MESHES = {
    "line": uf.interval({"L": 0.5, "R": 0.5}, size=0.1),
    "triangle": uf.rectangle({"L": 0.5, "R": 0.5}, width=0.75, size=0.25),
    "tetrahedron": uf.box({"L": 0.5, "R": 0.5}, width=0.5, height=0.5, size=0.5),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mesh", MESHES)
@pytest.mark.parametrize("kind", ["transparent", *BARRIERS])
@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
def test_the_spectral_current_is_the_same_through_contacts_and_on_both_sides_of_a_barrier(kind, mesh, order):
    device = bilayer(BARRIERS.get(kind, uf.Transparent()), MESHES[mesh], rashba=0.4 if mesh == "line" else 0.0)
    current = uf.charge_current(uf.solve_spectrum(device, [0.3, 1.5], broadening=0.05, order=order))
    flows = [-current.through("left"), current.through("right"), current.through("L_R")]
    flows += [-current.through("L_R", "L"), -current.through(("R", "L"))]
    assert abs(np.array(flows) - flows[0]).max() < 1e-9 * abs(flows[0]).max()
    assert abs(flows[0]).min() > 1e-4


def test_normal_metals_conserve_the_spectral_spin_current_between_magnetic_reservoirs():
    ends = {
        "left": uf.Reservoir(1.0, -0.5, exchange=(0.5, 0, 0)), "right": uf.Reservoir(1.0, 0.5, exchange=(0, 0.4, 0.3))
    }  # fmt: skip
    device = uf.Device(MESHES["triangle"], dict.fromkeys("LR", uf.normal_metal()), ends)
    current = uf.spin_current(uf.solve_spectrum(device, [0.3, 0.8, 1.5], broadening=0.05))
    flows = np.array([-current.through("left"), current.through("right"), current.through("L_R")])
    assert abs(flows - flows[0]).max() < 1e-9 * abs(flows).max()
    assert abs(flows[0]).max() > 1e-2


def test_the_density_of_the_spectral_current_agrees_with_its_flux():
    spec = uf.solve_spectrum(sfs(1.0, mesh=uf.interval({"F": 1.0}, size=0.02), **TWISTED), [0.3, 1.5], broadening=0.05)
    current = uf.charge_current(spec)
    assert current.at(X)[:, 0] == pytest.approx(np.repeat(current.through("right")[:, None], 4, axis=1), rel=5e-3)
