"""Stiff and extreme devices: the right value, or a word about it."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.numerics.linear import available_solvers

# Small meshes, and times as short as if they had been given in seconds.
pytestmark = [
    pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning"),
    pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning"),
]
ENDS = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0, phase=1.0)}
N = uf.normal_metal()


def current(device, **options):
    eq = uf.solve_equilibrium(device, 0.2, **options)
    return uf.charge_current(eq).through("right")


@pytest.fixture(scope="module")
def plain():
    """The current of a bar of length 2."""
    return current(uf.Device(uf.rectangle({"N": 2.0}, width=1.0, size=0.25), {"N": N}, ENDS))


@pytest.mark.parametrize("conductance", [1e8, 1e9, 1e12, 1e30])
def test_a_nearly_perfect_barrier_is_a_transparent_contact(conductance, plain):
    mesh = uf.rectangle({"N": 1.0, "M": 1.0}, width=1.0, size=0.25)
    device = uf.Device(mesh, {"N": N, "M": N}, ENDS, {"N_M": uf.Tunnel(conductance=conductance)})
    assert current(device) == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("time", [1e-8, 1e-10, 1e-20, 1e-100])
def test_spin_orbit_scattering_of_any_strength_leaves_singlets_alone(time):
    mesh = uf.interval({"N": 2.0}, size=0.1)
    expected = current(uf.Device(mesh, {"N": N}, ENDS))
    assert current(uf.Device(mesh, {"N": uf.normal_metal(tau_so=time)}, ENDS)) == pytest.approx(expected, rel=1e-10)


def test_strong_spin_orbit_scattering_takes_an_exchange_field_out():
    mesh = uf.interval({"N": 2.0}, size=0.1)
    expected = current(uf.Device(mesh, {"N": N}, ENDS))
    # triplets are smaller by h tau_so, and what they do to the singlet by h^2 tau_so
    for tau in (1e-6, 1e-8):
        field = uf.ferromagnet(exchange=(0.0, 0.0, 3.0), tau_so=tau)
        assert current(uf.Device(mesh, {"N": field}, ENDS)) == pytest.approx(expected, rel=30 * tau)


@pytest.mark.parametrize("width", [1e-4, 1e-5])
def test_a_thin_strip_carries_the_current_of_its_width(width, plain):
    strip = uf.Device(uf.rectangle({"N": 2.0}, width=width, size=0.2), {"N": N}, ENDS)
    assert current(strip) == pytest.approx(plain * width, rel=1e-4)


def test_cells_that_rounding_cannot_solve_are_named():
    strip = uf.Device(uf.rectangle({"N": 2.0}, width=1e-9, size=0.2), {"N": N}, ENDS)
    with pytest.raises(uf.errors.SolveError, match=r"rounder cells: the thinnest are .* times longer than wide"):
        current(strip)


@pytest.mark.parametrize("size", [0.25, 0.05])
def test_an_exchange_field_of_many_gaps_leaves_no_superconductor(size):
    mesh = uf.interval({"S": 3.0}, size=size)
    device = uf.Device(mesh, {"S": uf.superconductor(Tc=0.5669, exchange=(0, 0, 100.0))})
    # far above the gap ln(T/Tc) + Re psi(1/2 + i h/2 pi T) - psi(1/2) is ln(2 h / Delta0)
    gap = 0.5669 * np.pi / np.exp(np.euler_gamma)
    assert uf.study.stability(device, 0.05) == pytest.approx(np.log(200.0 / gap), abs=2e-3)
    eq = uf.solve_equilibrium(device, 0.05)
    assert not uf.gap(eq).nodal.any()


def test_a_matrix_that_one_solver_calls_singular_goes_to_another(caplog):
    if "pardiso" not in available_solvers():
        pytest.skip("MKL is not installed")
    mesh = uf.rectangle({"A": 5.52, "B": 0.0118}, width=0.0118, size={"A": 1.2, "B": 0.0059})
    magnetization = (0.218, 0.97, -0.107)
    behind = uf.SpinActive(conductance=400.0, polarization=-0.62, mixing=30.0, magnetization=magnetization)
    ends = {"left": uf.Reservoir(gap=0.0, barrier=behind)}
    device = uf.Device(mesh, {name: uf.superconductor(gap=1.0) for name in "AB"}, ends, B=0.0084)
    found, expected = (
        uf.solve_equilibrium(device, 0.05, linearized=True, linear_solver=solver) for solver in ("auto", "superlu")
    )
    assert abs(found.riccati - expected.riccati).max() < 1e-9
    assert found.solver == "superlu"
    assert "linear solver 'superlu' from here on" in caplog.text


def corner(conductance, size, order):
    behind = uf.Reservoir(gap=1.0, phase=1.57, barrier=uf.Tunnel(conductance=conductance))
    contacts = {"left": uf.Reservoir(gap=1.0, phase=-0.78), "top": behind}
    device = uf.Device(uf.rectangle({"N": 1.0}, width=0.5, size=size), {"N": uf.normal_metal(D=0.0545)}, contacts)
    return uf.charge_current(uf.solve_equilibrium(device, 0.0762, order=order)).through("left")


def test_phases_that_meet_in_a_corner_have_a_current_and_a_word_about_the_mesh():
    with pytest.warns(UserWarning, match=r"not causal at a node near \(0.2, 0.5\)") as said:
        assert corner(100.0, 0.2, 1) < 0
    assert len(said) >= 1


KAPPA = {"tau_so": 2.0, "exchange": (0.5, 0.0, 0.3)}


@pytest.mark.parametrize("kappa", [5.0, 1.0, -1.2])
def test_kappa_beyond_the_range_of_dissipation_is_refused(kappa):
    device = uf.Device(uf.rectangle({"N": 1.0}, 1.0, size=0.5), {"N": uf.normal_metal(kappa=kappa, **KAPPA)}, ENDS)
    with pytest.raises(uf.errors.DeviceError, match=r"region 'N': kappa is .* -1 < kappa < 1"):
        uf.solve_equilibrium(device, 0.2)


@pytest.mark.parametrize("kappa", [-0.7, -0.51, 1.01, 3.0])
def test_the_range_of_kappa_is_smaller_in_three_dimensions(kappa):
    ends = {"left": uf.NormalContact(potential=1.0), "right": uf.NormalContact()}
    device = uf.Device(uf.box({"N": 1.0}, 1.0, 1.0, size=0.5), {"N": uf.normal_metal(kappa=kappa)}, ends)
    with pytest.raises(uf.errors.DeviceError, match=r"-0.5 < kappa < 1"):
        uf.solve_normal_state(device)


def test_triplets_narrow_the_range_of_kappa():
    # Where an eigenvalue of M (diagnostics/ellipticity.py) reaches 1 there is no solution; coarse meshes hide it.
    def solve(size, order):
        mesh = uf.rectangle({"N": 1.0}, width=1.0, size=size)
        ends = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0, phase=1.5)}
        device = uf.Device(mesh, {"N": uf.normal_metal(kappa=0.9, **KAPPA)}, ends)
        return uf.solve_equilibrium(device, 0.1, order=order)

    with pytest.warns(UserWarning, match="with this kappa the solution comes to 0.9"):
        solve(0.25, 1)
    with pytest.raises(uf.errors.SolveError, match=r"Try: a smaller .kappa.* beyond which free boundaries"):
        solve(0.25, 2)


LINES = {
    "threads": "uf.solve_equilibrium(film(0.05), 0.1, workers=2)",
    "one large factorisation": "uf.solve_equilibrium(film(0.02, Tc=None), 0.1)",
    "processes": "with ProcessPoolExecutor(2) as pool: uf.solve_equilibrium(film(0.05), 0.1, workers=pool)",
    "a spectrum on threads": "uf.solve_spectrum(film(0.04, Tc=None), np.linspace(0, 2, 99), workers=2)",
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of another process")
@pytest.mark.parametrize("name", LINES)
def test_an_interrupt_ends_a_solve_at_once(name):
    script = f"""
        import signal, time
        import numpy as np
        import usadelfem as uf
        from concurrent.futures import ProcessPoolExecutor

        def film(size, Tc=0.567):
            metal = uf.superconductor(Tc=Tc) if Tc else uf.ferromagnet(
                exchange=lambda x: np.array([np.cos(x[0]), np.sin(x[0]), 0 * x[0]]))
            ends = dict(left=uf.Reservoir(gap=1.0), right=uf.Reservoir(gap=1.0, phase=1.0))
            return uf.Device(uf.rectangle(dict(S=4.0), width=4.0, size=size), dict(S=metal), ends)

        if __name__ == "__main__":
            signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background may start without it
            print("go", flush=True)
            start = time.monotonic()
            try:
                {LINES[name]}
            except KeyboardInterrupt:
                print("stopped", flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        time.sleep(5.0)
        start = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        line = process.stdout.readline()
        elapsed = time.monotonic() - start
    assert line == "stopped\n"
    print(f"{name}: {elapsed:.2f} s")
    assert elapsed < 10.0  # one second on a machine that does nothing else; without it, minutes


@pytest.mark.parametrize("ratio", [1e10, 1e12])
def test_a_current_that_is_made_of_rounding_is_said_to_be(ratio):
    materials = {"F": uf.normal_metal(), "G": uf.normal_metal(N0=ratio)}
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.0)}
    device = uf.Device(uf.interval({"F": 1.0, "G": 1.0}, size=0.05), materials, contacts)
    current = uf.charge_current(uf.solve_equilibrium(device, 0.1))
    exact = current.through("left")  # the metal that limits it
    with pytest.warns(UserWarning, match="rounding errors limit this current to about") as caught:
        found = current.through("right")
    limit = float(re.search(r"about ([^:]*):", str(caught[0].message))[1])
    assert abs(found + exact) < 10 * limit


def test_a_current_that_is_zero_is_not_said_to_be_rounding():
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0)}
    device = uf.Device(uf.interval({"N": 1.0}, size=0.05), {"N": uf.normal_metal()}, contacts)
    assert abs(uf.charge_current(uf.solve_equilibrium(device, 0.1)).through("left")) < 1e-12
