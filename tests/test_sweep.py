"""A function on a grid of parameters: shapes, failures, and what is refused."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from workers import Immediate

import usadelfem as uf


def solve_error(message="diverged"):
    return uf.errors.SolveError(message, frequency=1.0, residuals=(1.0,), state=np.zeros(4))


def fails_at_two(x):
    if x == 2:
        raise solve_error()
    return [x, 10.0 * x]


def test_a_mapping_of_parameters_is_an_outer_product():
    result = uf.sweep(lambda a, b: 10 * a + b, {"a": [1, 2], "b": [1, 2, 3]})
    assert result.values.tolist() == [[11, 12, 13], [21, 22, 23]]


def test_a_sequence_of_parameters_is_an_axis():
    assert uf.sweep(lambda x: x**2, [1.0, 2.0, 3.0]).values.tolist() == [1.0, 4.0, 9.0]


def test_a_result_that_is_an_array_adds_its_axes():
    result = uf.sweep(lambda a, b: np.full((4, 5), a * b), {"a": [1, 2], "b": [1, 2, 3]})
    assert result.values.shape == (2, 3, 4, 5)
    assert (result.values[1, 2] == 6).all()


def test_a_result_that_is_a_dict_gives_an_array_for_each_name():
    result = uf.sweep(lambda x: {"number": x, "vector": np.arange(3) * x}, [1, 2])
    assert result.values["number"].tolist() == [1, 2]
    assert result.values["vector"].tolist() == [[0, 1, 2], [0, 2, 4]]


def test_values_become_complex_when_a_complex_result_comes():
    result = uf.sweep(lambda x: x if x < 2 else x * 1j, [1, 2])
    assert result.values.tolist() == [1, 2j]


@pytest.mark.parametrize("workers", [1, 3, Immediate(), ThreadPoolExecutor(2)], ids=["one", "three", "own", "pool"])
def test_who_works_does_not_change_the_result(workers):
    offset = 0.5
    result = uf.sweep(lambda a, b: {"sum": a + b + offset}, {"a": [1, 2], "b": [3, 4]}, workers=workers)
    assert result.values["sum"].tolist() == [[4.5, 5.5], [5.5, 6.5]]


def test_parameters_may_be_anything():
    result = uf.sweep(lambda kind, device: len(kind) + device, {"kind": ["S", "SF"], "device": (1, 2)})
    assert result.parameters["kind"] == ("S", "SF")
    assert result.values.tolist() == [[2, 3], [3, 4]]


def test_the_result_keeps_the_parameters_as_arrays():
    result = uf.sweep(lambda a, b: a * b, {"a": range(3), "b": np.linspace(0, 1, 4)})
    assert result.parameters["a"].tolist() == [0, 1, 2]
    assert result.parameters["b"].shape == (4,)


def test_the_result_is_read_only():
    result = uf.sweep(lambda x: x, [1.0])
    with pytest.raises(ValueError, match="read-only"):
        result.values[0] = 2.0


def test_the_result_can_be_pickled():
    result = uf.sweep(lambda a: {"x": a}, {"a": [1, 2]})
    assert pickle.loads(pickle.dumps(result)).values["x"].tolist() == [1, 2]


def test_points_that_fail_to_converge_are_nan_and_named():
    with pytest.warns(UserWarning, match=r"sweep: 1 of 3 points failed and are NaN, the first one at value = 2: div"):
        result = uf.sweep(fails_at_two, [1, 2, 3])
    assert np.isnan(result.values[1]).all()
    assert result.values[::2].tolist() == [[1, 10], [3, 30]]
    assert result.failed == {(1,): "diverged"}


def test_a_sweep_of_which_all_points_fail_is_nan():
    with pytest.warns(UserWarning, match="2 of 2 points failed"):
        result = uf.sweep(fails_at_two, {"x": [2, 2]})
    assert np.isnan(result.values).all()
    assert result.values.shape == (2,)


def test_a_sweep_without_failures_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert uf.sweep(lambda x: x, [1.0]).failed == {}


def test_another_exception_of_the_function_propagates():
    with pytest.raises(ZeroDivisionError):
        uf.sweep(lambda x: 1 / x, [1, 0, 2])


def test_a_result_of_another_shape_is_an_error_that_names_the_point():
    with pytest.raises(ValueError, match=r"sweep at n = 3: the function returned shape \(3,\), and at other.*\(2,\)"):
        uf.sweep(lambda n: np.ones(n), {"n": [2, 3]})


def test_a_result_with_other_names_is_an_error():
    with pytest.raises(ValueError, match=r"returned 'b' of shape \(\), and at other points 'a' of shape \(\)"):
        uf.sweep(lambda x: {x: 1.0}, ["a", "b"])


@pytest.mark.parametrize("value", [None, "text", [[1], [1, 2]], {1: 2.0}, {}])
def test_a_result_that_is_not_numeric_is_an_error(value):
    with pytest.raises(TypeError, match=r"sweep at value = 1: the function returned .*; allowed are a number"):
        uf.sweep(lambda x: value, [1])


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({}, ValueError, "parameters is empty"),
        ({"T": 0.1}, TypeError, "parameter 'T' is 0.1; allowed is a sequence"),
        ({"T": []}, ValueError, "parameter 'T' has no values"),
        ({"my T": [1]}, ValueError, "parameter 'my T' is no name of an argument"),
        ([], ValueError, "parameters has no values"),
        (3, TypeError, "parameters is 3; allowed is a sequence"),
        ("abc", TypeError, "parameters is 'abc'; allowed is a sequence"),
    ],
)
def test_parameters_that_make_no_grid_are_refused(parameters, error, words):
    with pytest.raises(error, match=words):
        uf.sweep(lambda **_: 1.0, parameters)
