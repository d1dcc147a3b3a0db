"""The solve itself: options, reports, failures."""

import re

import numpy as np
import pytest
from devices import junction, sfs

import usadelfem as uf
from usadelfem.diagnostics import quality
from usadelfem.errors import SolveError
from usadelfem.numerics import newton
from usadelfem.numerics.linear import available_solvers
from usadelfem.points import sum_rule


def test_every_frequency_has_a_converged_report():
    eq = uf.solve_equilibrium(sfs(), 0.1)
    assert len(eq.report) == len(eq.frequencies) == len(eq.weights) == len(eq.riccati)
    for w, report in zip(eq.frequencies, eq.report, strict=True):
        assert report.frequency == w
        assert report.converged
        assert report.residuals[-1] < 1e-8
        assert report.iterations >= 1


def test_frequencies_ascend_and_arrays_are_read_only():
    eq = uf.solve_equilibrium(sfs(), 0.1, frequencies=4)
    assert (np.diff(eq.frequencies) > 0).all()
    with pytest.raises(ValueError, match="read-only"):
        eq.riccati[0, 0, 0] = 0
    with pytest.raises(AttributeError):
        eq.temperature = 1.0


@pytest.mark.parametrize("solver", available_solvers())
def test_linear_solvers_give_the_same_solution(solver):
    device = sfs(mesh=uf.rectangle({"F": 1.0}, width=0.5, size=0.25))
    reference = uf.solve_equilibrium(device, 0.1, frequencies=3, linear_solver="superlu")
    eq = uf.solve_equilibrium(device, 0.1, frequencies=3, linear_solver=solver)
    assert eq.solver == solver
    assert np.abs(eq.riccati - reference.riccati).max() < 1e-11


def test_solution_does_not_depend_on_the_way_down():
    one = uf.solve_equilibrium(sfs(), 0.1, quadrature="plain", frequencies=1)
    many = uf.solve_equilibrium(sfs(), 0.1, quadrature="plain", frequencies=12)
    assert np.abs(one.riccati[0] - many.riccati[0]).max() < 1e-10


def test_continuation_takes_over_where_newton_fails(monkeypatch):
    device = junction(uf.interval({"N": 20.0}, size=0.25), {"N": uf.normal_metal()}, 2.5)
    usual = uf.solve_equilibrium(device, 0.002, quadrature="plain", frequencies=1)
    monkeypatch.setattr(newton, "MAX_STEPS", 1)
    eq = uf.solve_equilibrium(device, 0.002, quadrature="plain", frequencies=1)
    assert eq.report[0].continuation > 0
    assert np.abs(eq.riccati - usual.riccati).max() < 1e-9


def test_failure_names_frequency_history_and_advice_and_holds_the_last_iterate(monkeypatch):
    monkeypatch.setattr(newton, "MAX_STEPS", 0)
    with pytest.raises(SolveError, match=r"Matsubara frequency .* residuals: .* Try") as caught:
        uf.solve_equilibrium(sfs(), 0.1, quadrature="plain", frequencies=1)
    assert caught.value.frequency > 0
    assert caught.value.state.shape[1] == 4


def test_failure_on_a_mesh_that_is_too_coarse_says_by_how_much():
    def spiral(x):
        return 50.0 * np.array([np.cos(3 * x[0]), 0 * x[0], np.sin(3 * x[0])])

    mesh = uf.interval({"F": 1.0}, size=0.5)
    device = junction(mesh, {"F": uf.ferromagnet(exchange=spiral, D=1e-3)}, 2.0)
    with pytest.raises(SolveError, match=r"a finer mesh: the largest cells are 1.1e\+02 times the decay length"):
        uf.solve_equilibrium(device, 0.005)


def test_a_spurious_root_is_not_reported_as_converged(monkeypatch):
    monkeypatch.setattr(quality, "OVERSHOOT", 0.1)
    monkeypatch.setattr(quality, "CAUSAL", 0.1)
    with pytest.raises(SolveError, match="not causal"):
        uf.solve_equilibrium(sfs(), 0.1, quadrature="plain", frequencies=1)


def test_spurious_roots_of_the_equation_are_recognised():
    # a -> 1/b solves the bulk equation too, on the wrong branch
    device = uf.Device(uf.interval({"S": 1.0}, size=0.5), {"S": uf.superconductor(gap=1.0)})
    eq = uf.solve_equilibrium(device, 0.1, frequencies=2)
    spurious = np.zeros_like(eq.riccati[0])
    spurious[:, [0, 3]] = -1 / eq.riccati[0].conj()[:, [3, 0]]
    assert quality.is_causal(eq.problem, eq.riccati[0])
    assert not quality.is_causal(eq.problem, spurious)


def test_residual_that_is_not_a_number_ends_newton_honestly():
    class Broken:
        def residual(self, w, state):
            return np.array([np.nan]), 1.0

        def linearize(self, w, state):
            return np.array([np.nan]), 1.0, np.ones(1)

        def moved(self, state, step):
            return state

    outcome = newton.newton(Broken(), 1.0, np.zeros(1), solver=None, clock=newton.Clock())
    assert not outcome.converged
    assert "not finite" in outcome.reason


@pytest.mark.parametrize("temperature", [0.0, -0.1, np.nan, np.inf, "cold"])
def test_bad_temperature_is_named(temperature):
    with pytest.raises(ValueError, match=r"temperature is .*allowed is a finite number > 0"):
        uf.solve_equilibrium(sfs(), temperature)


@pytest.mark.parametrize("exchange", [1e5, 1e6])
@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
def test_an_exchange_field_beyond_the_quadrature_says_which_cutoff_helps(exchange):
    device = uf.Device(
        uf.interval({"S": 1.0, "F": 1.0, "T": 1.0}, size=0.1),
        {
            "S": uf.superconductor(gap=1.0), "F": uf.ferromagnet(exchange=(0.0, 0.0, exchange)),
            "T": uf.superconductor(gap=np.exp(1j)),
        },
        {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.0)},
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"exchange field, 1e\+0\d, asks for .*Give cutoff=\S+,") as found:
        uf.solve_equilibrium(device, 0.3)
    cutoff = float(re.search(r"Give cutoff=([^\s,]+)", str(found.value)).group(1))
    assert abs(uf.charge_current(uf.solve_equilibrium(device, 0.3, cutoff=cutoff)).through("right")) < 1e-8
    with pytest.raises(ValueError, match=r"^cutoff = 1e\+06 asks for"):
        uf.solve_equilibrium(device, 0.3, cutoff=1e6)


def test_a_plain_sum_of_some_frequencies_says_that_it_ends_there():
    eq = uf.solve_equilibrium(sfs(), 0.1, quadrature="plain", frequencies=3)
    assert eq.cutoff == pytest.approx(2 * np.pi * 0.1 * 3)


def test_a_sum_that_ends_says_which_energies_it_does_not_resolve():
    rule = sum_rule.SumRule(cut=1.0)
    with pytest.warns(UserWarning, match=r"resolves energies up to 1e\+05"):
        rule.nodes(0.01, 1e6)
    with pytest.raises(ValueError, match="allowed is at least 1e-12 of the largest gap"):
        rule.nodes(1e-13, 1.0)


@pytest.mark.parametrize("order", [0, 3, 1.5, "2", None])
def test_bad_order_is_named(order):
    with pytest.raises(ValueError, match=r"order is .*allowed are 1"):
        uf.solve_equilibrium(sfs(), 0.1, order=order)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("quadrature", "simpson", "allowed are 'gauss' and 'plain'"),
        ("frequencies", 0, "allowed is an integer >= 1"),
        ("frequencies", 2.5, "allowed is an integer >= 1"),
        ("cutoff", -1.0, "allowed is a finite energy > 0"),
        ("cutoff", np.nan, "allowed is a finite energy > 0"),
        ("linear_solver", "magic", "superlu"),
    ],
)
def test_bad_options_are_named(option, value, message):
    with pytest.raises(ValueError, match=message):
        uf.solve_equilibrium(sfs(), 0.1, **{option: value})


def test_a_plain_sum_without_end_is_refused():
    with pytest.raises(ValueError, match="more than 10000; use quadrature='gauss'"):
        uf.solve_equilibrium(sfs(), 1e-4, quadrature="plain")


def test_only_a_device_can_be_solved():
    with pytest.raises(TypeError, match=r"usadelfem\.Device"):
        uf.solve_equilibrium("sfs.msh", 0.1)


def test_normal_device_has_no_pairing_at_all():
    device = uf.Device(uf.interval({"N": 1.0}, size=0.5), {"N": uf.normal_metal()}, {"left": uf.Reservoir(0.0)})
    eq = uf.solve_equilibrium(device, 0.1)
    assert not eq.riccati.any()


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
def test_device_whose_nodes_are_all_clamped_is_solved():
    device = junction(uf.interval({"N": 1.0}, size=1.0), {"N": uf.normal_metal()}, 1.0)
    eq = uf.solve_equilibrium(device, 0.1, order=1, frequencies=2)
    current = uf.charge_current(eq)
    assert current.through("left") == pytest.approx(-current.through("right"), rel=1e-12)


def test_each_kernel_is_compiled_for_one_combination_of_types_per_sector_only():
    from usadelfem.fem import assembly, conjugates
    from usadelfem.fem import cells as element
    from usadelfem.space import pattern

    eq = uf.solve_equilibrium(sfs(D=lambda x: 0.5 + x[0]), 0.1, frequencies=2)
    uf.charge_current(eq).through("left")
    uf.spin_density(eq)
    kernels = [element.element_terms, assembly.scatter_residual, assembly.scatter_tangent, pattern.fill_pattern]
    for compiled in [*kernels, conjugates.add_conjugates]:
        # a sector (a tuple of so many numbers), and real numbers or the complex ones of retarded problems
        kinds = {(str(one[0]) if "Tuple" in str(one[0]) else "", str(one[-1])) for one in compiled.signatures}
        assert len(compiled.signatures) == len(kinds), compiled.__name__
