"""Linear solvers: both back ends against dense algebra, and what they refuse."""

import gc
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy
import scipy.sparse as sp
import skfem
from numpy.linalg import LinAlgError, norm
from skfem.models.poisson import laplace, mass

from usadelfem.numerics import pardiso, superlu
from usadelfem.numerics.krylov import lowest_eigenvalues
from usadelfem.numerics.linear import LinearSolver, available_solvers, linear_solver

BLOCK = 8
needs_mkl = pytest.mark.skipif(pardiso.find_mkl() is None, reason="MKL (libmkl_rt) cannot be loaded")
BACKENDS = [pytest.param("pardiso", marks=needs_mkl), "superlu"]


@dataclass
class Problem:
    """An indefinite block matrix on a mesh: its upper triangle and itself, dense."""

    upper: sp.csr_matrix
    dense: np.ndarray[Any, Any]

    def solver(self, kind: str) -> LinearSolver:
        return linear_solver(self.upper.indptr, self.upper.indices, block=BLOCK, kind=kind, dtype=self.upper.dtype)

    def values(self, matrix: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        rows = np.repeat(np.arange(len(matrix)), np.diff(self.upper.indptr))
        return np.asarray(matrix[rows, self.upper.indices])


def make(mesh: skfem.Mesh, element: skfem.Element, dtype: type, *, zero_diagonal: bool = False) -> Problem:
    """Laplacian (two signs) plus mass times random symmetric blocks, or the same without diagonal entries."""
    rng = np.random.default_rng(7)

    def noise() -> np.ndarray[Any, Any]:
        real, imaginary = rng.standard_normal((2, BLOCK, BLOCK))
        return np.asarray(real + 1j * imaginary if dtype is complex else real)

    basis = skfem.Basis(mesh, element)
    signs = np.diag([1.0] * 4 + [-1.0] * 4)
    if zero_diagonal:
        signs = np.roll(np.eye(BLOCK), 4, axis=0)
    weights = mass.assemble(basis).toarray() * basis.N**0.5 * 3
    full = np.kron(laplace.assemble(basis).toarray(), signs) + np.kron(weights, 0.3 * signs + 0.1 * noise())
    full = full + full.T
    pattern = np.kron(weights != 0, np.ones((BLOCK, BLOCK)))
    if zero_diagonal:
        np.fill_diagonal(full, 0)
    upper = sp.csr_matrix(np.triu(pattern))
    upper.sort_indices()
    problem = Problem(upper.astype(dtype), full)
    problem.upper.data[:] = problem.values(full)
    return problem


def square(dtype: type, n: int = 5, **options: bool) -> Problem:
    points = np.linspace(0, 1, n)
    return make(skfem.MeshTri.init_tensor(points, points), skfem.ElementTriP1(), dtype, **options)


def cube(dtype: type, **options: bool) -> Problem:
    points = np.linspace(0, 1, 4)
    return make(skfem.MeshTet.init_tensor(points, points, points), skfem.ElementTetP1(), dtype, **options)


def vectors(problem: Problem, *shape: int) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(1)
    real = rng.standard_normal((len(problem.dense), *shape))
    return real + 1j * rng.standard_normal(real.shape) if problem.upper.dtype == complex else real


@pytest.fixture(params=[float, complex])
def problem(request: pytest.FixtureRequest) -> Problem:
    return square(request.param)


@pytest.fixture(params=BACKENDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("zero_diagonal", [False, True])
@pytest.mark.parametrize("mesh", [square, cube])
def test_solution_agrees_with_dense_algebra(mesh: Any, zero_diagonal: bool, dtype: type, kind: str) -> None:
    problem = mesh(dtype, zero_diagonal=zero_diagonal)
    if dtype is float:
        eigenvalues = np.linalg.eigvalsh(problem.dense)
        assert eigenvalues[0] < 0 < eigenvalues[-1]
    rhs = vectors(problem)
    expected = np.linalg.solve(problem.dense, rhs)
    answer = problem.solver(kind).factorize(problem.upper.data).solve(rhs)
    assert answer.dtype == dtype
    assert norm(answer - expected) < 1e-10 * norm(expected)


def test_name_is_the_back_end(problem: Problem, kind: str) -> None:
    assert problem.solver(kind).name == kind
    assert kind in available_solvers()


def test_new_values_on_the_same_pattern(problem: Problem, kind: str) -> None:
    solver, rhs = problem.solver(kind), vectors(problem)
    solver.factorize(problem.upper.data).solve(rhs)
    other = problem.dense * np.outer(*[1 + np.arange(len(rhs)) / len(rhs)] * 2)
    answer = solver.factorize(problem.values(other)).solve(rhs)
    expected = np.linalg.solve(other, rhs)
    assert norm(answer - expected) < 1e-10 * norm(expected)


def test_values_are_copied(problem: Problem, kind: str) -> None:
    values, rhs = problem.upper.data.copy(), vectors(problem)
    factor = problem.solver(kind).factorize(values)
    values[:] = 0
    assert norm(problem.dense @ factor.solve(rhs) - rhs) < 1e-10 * norm(rhs)


@pytest.mark.parametrize("order", ["C", "F"])
def test_several_right_hand_sides(order: Any, problem: Problem, kind: str) -> None:
    rhs = np.asarray(vectors(problem, 3), order=order)
    rhs[:, 1] = 0
    before = rhs.copy()
    answer = problem.solver(kind).factorize(problem.upper.data).solve(rhs)
    assert answer.shape == rhs.shape
    assert norm(problem.dense @ answer - rhs) < 1e-10 * norm(rhs)
    assert not answer[:, 1].any()
    assert np.array_equal(rhs, before)


def test_real_right_hand_side_of_a_complex_matrix(kind: str) -> None:
    problem = square(complex)
    rhs = vectors(problem).real
    answer = problem.solver(kind).factorize(problem.upper.data).solve(rhs)
    assert norm(problem.dense @ answer - rhs) < 1e-10 * norm(rhs)


def test_pattern_with_64_bit_integers(problem: Problem, kind: str) -> None:
    upper, rhs = problem.upper, vectors(problem)
    pointers, indices = upper.indptr.astype(np.int64), upper.indices.astype(np.int64)
    answer = linear_solver(pointers, indices, kind=kind, dtype=upper.dtype).factorize(upper.data).solve(rhs)
    assert norm(problem.dense @ answer - rhs) < 1e-10 * norm(rhs)


def test_nodes_without_neighbours(kind: str) -> None:
    problem = square(float, n=7)
    apart = problem.dense * np.kron(np.eye(49), np.ones((BLOCK, BLOCK)))
    upper = sp.csr_matrix(np.triu(apart))
    rhs = vectors(problem)
    answer = linear_solver(upper.indptr, upper.indices, kind=kind).factorize(upper.data).solve(rhs)
    assert norm(apart @ answer - rhs) < 1e-10 * norm(rhs)


@needs_mkl
def test_solutions_are_refined_as_far_as_asked_for(problem: Problem) -> None:
    factor, rhs = problem.solver("pardiso-single").factorize(problem.upper.data), vectors(problem)
    left = [norm(problem.dense @ factor.solve(rhs, accuracy=a) - rhs) / norm(rhs) for a in (1e-3, 1e-9)]
    assert 1e-9 < left[0] < 1e-3
    assert left[1] < 1e-9


def test_stale_factor_is_refused(problem: Problem, kind: str) -> None:
    solver, rhs = problem.solver(kind), vectors(problem)
    first = solver.factorize(problem.upper.data)
    second = solver.factorize(2 * problem.upper.data)
    with pytest.raises(RuntimeError, match="stale"):
        first.solve(rhs)
    assert norm(2 * problem.dense @ second.solve(rhs) - rhs) < 1e-10 * norm(rhs)


def test_release_makes_factors_stale_and_allows_a_new_one(problem: Problem, kind: str) -> None:
    solver, rhs = problem.solver(kind), vectors(problem)
    factor = solver.factorize(problem.upper.data)
    solver.release()
    solver.release()
    with pytest.raises(RuntimeError, match="released"):
        factor.solve(rhs)
    answer = solver.factorize(problem.upper.data).solve(rhs)
    assert norm(problem.dense @ answer - rhs) < 1e-10 * norm(rhs)


def test_factor_outlives_the_name_of_its_solver(problem: Problem, kind: str) -> None:
    rhs = vectors(problem)
    factor = problem.solver(kind).factorize(problem.upper.data)
    gc.collect()
    assert norm(problem.dense @ factor.solve(rhs) - rhs) < 1e-10 * norm(rhs)


@pytest.mark.parametrize("defect", ["zero matrix", "zero row", "equal rows"])
def test_singular_matrix_is_refused(defect: str, problem: Problem, kind: str) -> None:
    matrix, solver, rhs = problem.dense.copy(), problem.solver(kind), vectors(problem)
    if defect == "zero matrix":
        matrix[:] = 0
    elif defect == "zero row":
        matrix[10], matrix[:, 10] = 0, 0
    else:
        matrix[11], matrix[:, 11] = matrix[10], matrix[:, 10]
        matrix[11, 11] = matrix[10, 10]
    with pytest.raises(LinAlgError, match="singular"):
        solver.factorize(problem.values(matrix)).solve(rhs)
    answer = solver.factorize(problem.upper.data).solve(rhs)
    assert norm(problem.dense @ answer - rhs) < 1e-10 * norm(rhs)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value: float, problem: Problem, kind: str) -> None:
    solver, values, rhs = problem.solver(kind), problem.upper.data.copy(), vectors(problem)
    factor = solver.factorize(values)
    rhs[3] = value
    with pytest.raises(LinAlgError, match="right-hand side is not finite"):
        factor.solve(rhs)
    values[3] = value
    with pytest.raises(LinAlgError, match="1 entries that are not finite"):
        solver.factorize(values)


def test_wrong_shapes_and_types_are_refused(kind: str) -> None:
    problem = square(float)
    solver, values, rhs = problem.solver(kind), problem.upper.data, vectors(problem)
    with pytest.raises(ValueError, match="do not fit the pattern"):
        solver.factorize(values[1:])
    with pytest.raises(ValueError, match="complex128 do not fit"):
        solver.factorize(values.astype(complex))
    factor = solver.factorize(values)
    for wrong in (rhs[1:], rhs[:, None, None], np.zeros((rhs.size, 0))):
        with pytest.raises(ValueError, match="right-hand side of shape"):
            factor.solve(wrong)
    with pytest.raises(TypeError, match="complex128"):
        factor.solve(rhs.astype(complex))


def test_unknown_kind_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(ValueError, match=r"'umfpack'.*'auto', 'pardiso', 'pardiso-single', 'superlu'"):
        square(float, n=3).solver("umfpack")


@pytest.mark.parametrize(
    ("indptr", "indices", "options", "message"),
    [
        ([0, 2, 3], [0, 1, 1], {"dtype": np.float32}, "float32"),
        ([0, 2, 3], [0, 1, 1], {"block": 3}, "multiple of block = 3"),
        ([0, 2, 4], [0, 1, 1], {}, "number of indices 3"),
        ([0, 1, 2], [1, 1], {}, "diagonal"),
        ([0, 2, 2], [0, 1], {}, "diagonal"),
        ([0, 3, 4, 5], [0, 2, 1, 1, 2], {"block": 1}, "increase"),
        ([0, 2, 3], [0, 2, 1], {}, "below the number of rows 2"),
    ],
)
def test_malformed_patterns_are_refused(indptr: list[int], indices: list[int], options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        linear_solver(np.array(indptr), np.array(indices), **{"block": 2, **options})


def test_without_mkl_auto_takes_superlu_and_pardiso_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pardiso, "find_mkl", lambda: None)
    problem = square(float, n=3)
    assert available_solvers() == ("superlu",)
    assert problem.solver("auto").name == "superlu"
    with pytest.raises(ImportError, match="pip install mkl"):
        problem.solver("pardiso")


@needs_mkl
def test_auto_takes_pardiso_where_it_can() -> None:
    assert square(float, n=3).solver("auto").name == "pardiso"
    assert available_solvers() == ("pardiso", "superlu")


def test_mkl_with_64_bit_integers_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MKL_INTERFACE_LAYER", "GNU,ILP64")
    assert pardiso.find_mkl.__wrapped__() is None


def test_libraries_that_are_not_mkl_are_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libmkl_rt.so.9").write_text("not a library")
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setattr("site.getuserbase", lambda: str(tmp_path / "nowhere"))
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    assert pardiso.find_mkl.__wrapped__() is None


def test_node_order_is_a_permutation_with_less_fill_than_bands() -> None:
    n = 24
    node = np.arange(n * n).reshape(n, n)
    rows = np.concatenate([node.ravel(), node[:, :-1].ravel(), node[:-1].ravel()]).astype(np.int32)
    columns = np.concatenate([node.ravel(), node[:, 1:].ravel(), node[1:].ravel()]).astype(np.int32)
    order = superlu._node_order(rows, columns)
    assert np.array_equal(np.sort(order), node.ravel())
    graph = sp.csr_matrix((np.where(rows == columns, 5.0, -1.0), (rows, columns)))
    graph = graph + sp.triu(graph, 1).T
    fill = [
        sp.linalg.splu(m.tocsc(), permc_spec="NATURAL", options={"SymmetricMode": True}).nnz
        for m in (graph, graph[order][:, order])
    ]
    assert fill[1] < 0.6 * fill[0]


def unsymmetric(dtype: type, count: int = 60) -> sp.csr_matrix:
    """Convection and diffusion of blocks that turn: as a kinetic equation, of symmetric structure only."""
    rng = np.random.default_rng(11)
    chain = sp.diags_array([-1.3, 2.5, -0.7], offsets=[-1, 0, 1], shape=(count, count))
    blocks = rng.standard_normal((4, 4)) + 3 * np.eye(4)
    if dtype is complex:
        blocks = blocks + 1j * rng.standard_normal((4, 4))
    matrix = sp.csr_matrix(sp.kron(chain, blocks))
    matrix.sort_indices()
    return matrix


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("scale", [1.0, 1e-40, 1e60])
def test_an_unsymmetric_matrix_and_its_transpose_are_solved_with_the_same_factors(kind, dtype, scale):
    matrix = unsymmetric(dtype)
    left, right = 10.0 ** np.random.default_rng(3).uniform(-6, 6, (2, matrix.shape[0]))
    matrix = sp.csr_matrix(sp.diags_array(left * scale) @ matrix @ sp.diags_array(right))
    matrix.sort_indices()
    solver = linear_solver(matrix.indptr, matrix.indices, block=4, kind=kind, dtype=dtype, symmetric=False)
    factor = solver.factorize(matrix.data)
    wanted = np.random.default_rng(5).standard_normal((matrix.shape[0], 3)).astype(dtype)
    for own, transposed in ((matrix, False), (matrix.T, True)):
        scaled = wanted / (left if transposed else right)[:, None]
        found = factor.solve(own @ scaled, transposed=transposed)
        assert found / scaled == pytest.approx(np.ones_like(found), rel=1e-9)
    bare = factor.solve(matrix.T @ (wanted / left[:, None]), checked=False, transposed=True)
    assert bare * left[:, None] == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@needs_mkl
def test_unsymmetric_factors_in_single_precision_are_refined_to_double():
    matrix = unsymmetric(float)
    options = {"kind": "pardiso-single", "symmetric": False}
    factor = linear_solver(matrix.indptr, matrix.indices, block=4, **options).factorize(matrix.data)
    wanted = np.linspace(-1.0, 1.0, matrix.shape[0])
    assert factor.solve(matrix.T @ wanted, accuracy=1e-12, transposed=True) == pytest.approx(wanted, abs=1e-10)


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_singular_unsymmetric_matrix_is_refused(kind):
    matrix = sp.csr_matrix(np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [1.0, 0.0, 3.0]]))
    solver = linear_solver(matrix.indptr, matrix.indices, block=1, kind=kind, symmetric=False)
    with pytest.raises(LinAlgError):
        solver.factorize(matrix.data).solve(np.array([1.0, 0.0, 2.0]))


def test_petsc_is_for_symmetric_matrices():
    matrix = unsymmetric(float)
    with pytest.raises(ValueError, match="'petsc' is for symmetric matrices"):
        linear_solver(matrix.indptr, matrix.indices, block=4, kind="petsc", symmetric=False)


def test_lowest_eigenvalues_in_a_product_that_is_known_by_its_inverse():
    rng = np.random.default_rng(3)
    form, factor = rng.normal(size=(80, 80)), rng.normal(size=(80, 60))
    form = form + form.T
    inverse = factor @ factor.T  # of rank 60: what it makes nothing of is left out
    image = scipy.linalg.orth(factor)
    found, duals, converged = lowest_eigenvalues(
        lambda x: form @ x, lambda r: inverse @ r, lambda r: image @ (image.T @ r), rng.normal(size=80), 3,
        tolerance=1e-9, most=24, restarts=40,
    )  # fmt: skip
    expected = scipy.linalg.eigvalsh(factor.T @ form @ factor)[:3]
    assert converged == 3
    assert found == pytest.approx(expected, rel=1e-12)
    assert duals.T @ inverse @ duals == pytest.approx(np.eye(3), abs=1e-12)
