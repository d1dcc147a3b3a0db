"""Convergence with the mesh: manufactured sequences and a junction."""

import numpy as np
import pytest

import usadelfem as uf


@pytest.mark.parametrize("order", [0.5, 1.0, 2.0, 3.7])
@pytest.mark.parametrize("sizes", [(0.4, 0.2, 0.1), (0.5, 0.3, 0.1), (0.4, 0.3, 0.2, 0.15, 0.1)])
def test_a_power_law_is_extrapolated_exactly(order, sizes):
    found = uf.convergence(lambda h: 3.0 - 2.0 * h**order, sizes)
    assert found.asymptotic
    assert found.order == pytest.approx(order, rel=1e-9)
    assert float(found) == pytest.approx(3.0, rel=1e-12)


def test_rising_levels_are_numbers_of_cells():
    found = uf.convergence(lambda n: 1.0 + 1 / n**2, [4, 8, 16])
    assert found.sizes == pytest.approx([1 / 4, 1 / 8, 1 / 16])
    assert found.order == pytest.approx(2.0)


def test_a_second_power_is_within_the_error():
    found = uf.convergence(lambda h: 1.0 + 0.5 * h**2 + 0.5 * h**4, [0.4, 0.2, 0.1, 0.05])
    assert abs(found.value - 1.0) < found.error < abs(found.values[-1] - 1.0)


def test_arrays_converge_as_a_whole():
    limit, error = np.array([[1.0, 2.0], [0.0, 1j]]), np.array([[1.0, -1.0], [2.0, 0.5]])
    found = uf.convergence(lambda h: limit + error * h**2, [0.4, 0.2, 0.1])
    assert found.value == pytest.approx(limit, abs=1e-12)
    assert found.error.shape == (2, 2)


def test_equal_values_have_converged():
    found = uf.convergence(lambda h: 2.0, [3, 2, 1])
    assert (found.value, found.error, found.asymptotic) == (2.0, 0.0, True)


SEQUENCES = {
    "alternating": [1.0, 0.0, 1.0], "growing": [1.0, 1.1, 1.4], "of changing order": [1.0, 0.5, 0.4, 0.3],
}  # fmt: skip


@pytest.mark.parametrize("values", SEQUENCES.values(), ids=SEQUENCES)
def test_what_is_not_asymptotic_is_not_extrapolated(values):
    with pytest.warns(UserWarning, match="not in the asymptotic range"):
        found = uf.convergence(lambda k: values[int(k) - 1], range(1, len(values) + 1))
    assert not found.asymptotic
    assert found.value == values[-1]
    assert found.error == max(abs(value - values[-1]) for value in values[-3:])


@pytest.fixture(scope="module")
def junction():
    def current(size, order=1):
        contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.0)}
        device = uf.Device(uf.interval({"N": 1.0}, size=size), {"N": uf.normal_metal()}, contacts)
        return uf.charge_current(uf.solve_equilibrium(device, 0.2, order=order)).through("right")

    return current


def test_linear_elements_of_a_junction_converge_with_the_second_power(junction):
    found = uf.convergence(junction, [0.1, 0.05, 0.025, 0.0125], workers=2)
    better = junction(0.02, order=2)
    assert found.order == pytest.approx(2.0, abs=0.05)
    assert found.value == pytest.approx(better, rel=1e-5)
    assert abs(found.value - better) < abs(found.values[-1] - better) / 10


@pytest.mark.parametrize("levels", [[1, 2], [1, 2, 2], [1, 3, 2], [0, 1, 2], [-3, -2, -1], "abc", 3, [[1, 2, 3]]])
def test_levels_are_three_sizes_or_numbers(levels):
    with pytest.raises(ValueError, match="levels is"):
        uf.convergence(lambda h: h, levels)


def test_what_a_function_returns_is_checked():
    with pytest.raises(uf.errors.ObservableError, match=r"function\(3\) returned"):
        uf.convergence(lambda h: "text", [3, 2, 1])
    with pytest.raises(uf.errors.ObservableError, match="finite"):
        uf.convergence(lambda h: np.nan, [3, 2, 1])
    with pytest.raises(uf.errors.ObservableError, match="shapes"):
        uf.convergence(lambda h: np.ones(h), [3, 2, 1])
    with pytest.raises(TypeError, match="function is"):
        uf.convergence(5, [3, 2, 1])
