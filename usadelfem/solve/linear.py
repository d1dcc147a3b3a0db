"""Direct solution of sparse symmetric systems (real indefinite or complex symmetric) with one pattern.

The matrix is given as its upper triangle in CSR; its pattern is analysed once and its values change.
"""

from typing import Any, Literal, Protocol, final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from numpy.linalg import LinAlgError
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.sparse.linalg import SuperLU, splu

from usadelfem.solve import pardiso
from usadelfem.solve.pardiso import Indices, Numbers, PardisoBackend

SolverKind = Literal["auto", "pardiso", "superlu"]

_KINDS = ("auto", "pardiso", "superlu")
_REFINE_ABOVE = 1e-9
_FAIL_ABOVE = 1e-6
_MAX_REFINEMENTS = 3
_PIVOT_THRESHOLD = 0.001  # 0.1 doubles the fill of indefinite matrices and gains one digit before refinement
_LEAF_NODES = 40


class Factor(Protocol):
    """The factorised matrix of one `LinearSolver.factorize`."""

    @property
    def fresh(self) -> bool:
        """Whether its slot still holds it."""
        ...

    def solve(self, rhs: Numbers, *, checked: bool = True) -> Numbers:
        """Solve for `rhs`, shape (n,) or (n, k); the answer has that shape and a checked residual.

        With `checked=False` one bare solution, for callers that see from elsewhere whether it was good.

        Raises ValueError (shape), TypeError (complex `rhs` of a real matrix), RuntimeError (the solver
        has factorised another matrix in the same slot or was released since) and numpy.linalg.LinAlgError (non-finite
        `rhs`, or relative residual above 1e-6 after refinement: the matrix is singular to working precision).
        """
        ...


class LinearSolver(Protocol):
    """Factorises symmetric matrices of one pattern; holds one factor in each of its slots."""

    @property
    def name(self) -> str:
        """The back end: "pardiso" or "superlu"."""
        ...

    @property
    def factor_bytes(self) -> int:
        """Memory of one factor, 0 before the first."""
        ...

    def factorize(self, values: Numbers, slot: int = 0) -> Factor:
        """Factorise the matrix with these upper-triangle `values` (copied); the slot's last factor becomes stale.

        Raises ValueError (number or type of values) and numpy.linalg.LinAlgError (singular or non-finite).
        """
        ...

    def release(self) -> None:
        """Free the memory of the factor; `factorize` may be called again."""
        ...


def available_solvers() -> tuple[str, ...]:
    """The back ends that work here, the fastest first."""
    return ("pardiso", "superlu") if pardiso.find_mkl() is not None else ("superlu",)


def linear_solver(
    indptr: npt.NDArray[np.integer[Any]],
    indices: npt.NDArray[np.integer[Any]],
    *,
    block: int = 8,
    kind: str = "auto",
    dtype: npt.DTypeLike = np.float64,
    slots: int = 1,
) -> LinearSolver:
    """Make a solver for the symmetric pattern whose upper triangle has this `indptr` (n + 1) and `indices`.

    Rows are sorted and start with their diagonal; `block` consecutive unknowns form a node, which is what
    gets ordered. `kind` is "auto" (PARDISO if MKL can be loaded, else SuperLU), "pardiso" or "superlu";
    `dtype` is float64 or complex128; up to `slots` factors are kept at a time. Raises ValueError for anything else and ImportError if MKL is missing.
    """
    if kind not in _KINDS:
        raise ValueError(f"unknown linear solver {kind!r}: choose one of {', '.join(map(repr, _KINDS))}")
    number = np.dtype(dtype)
    if number not in (np.dtype(np.float64), np.dtype(np.complex128)):
        raise ValueError(f"dtype {number} is not supported: choose float64 or complex128")
    pointers, columns = _checked_pattern(indptr, indices, block)
    mkl = pardiso.find_mkl() if kind != "superlu" else None
    if mkl is not None:
        return _Solver(PardisoBackend(mkl, pointers, columns, number, slots), pointers, columns, number)
    if kind == "pardiso":
        raise ImportError(
            "linear solver 'pardiso' needs the MKL library libmkl_rt with 32-bit integers, which was not found:"
            " run `pip install mkl` (Linux and Windows on x86-64), unset MKL_INTERFACE_LAYER, or choose 'superlu'"
        )
    return _Solver(_SuperLUBackend(pointers, columns, block, number), pointers, columns, number)


def _checked_pattern(indptr: npt.NDArray[Any], indices: npt.NDArray[Any], block: int) -> tuple[Indices, Indices]:
    """The pattern as contiguous int32 arrays; ValueError names the first rule that it breaks."""
    size, limit = indptr.size - 1, np.iinfo(np.int32).max
    if block < 1 or size < 1 or size % block:
        raise ValueError(f"the number of rows {size} must be a positive multiple of block = {block}")
    if indptr[0] != 0 or indptr[-1] != indices.size or indices.size > limit:
        raise ValueError(f"indptr must go from 0 to the number of indices {indices.size}, at most {limit}")
    if np.any(np.diff(indptr) < 1) or np.any(indices[indptr[:-1]] != np.arange(size)):
        raise ValueError("every row of the upper triangle must start with its diagonal entry: store zeros there too")
    descents = np.flatnonzero(np.diff(indices) <= 0) + 1
    if not np.isin(descents, indptr).all() or indices.max() >= size:
        raise ValueError(f"the indices of each row must increase and stay below the number of rows {size}")
    return np.ascontiguousarray(indptr, dtype=np.int32), np.ascontiguousarray(indices, dtype=np.int32)


@final
class _Solver:
    """Adds checks, staleness and iterative refinement to a back end."""

    def __init__(
        self, backend: "PardisoBackend | _SuperLUBackend", indptr: Indices, indices: Indices, dtype: np.dtype[Any]
    ) -> None:
        self.backend = backend
        self.versions: dict[int, int] = {}
        self._upper: dict[int, sp.csr_matrix] = {}
        self._indptr, self._indices, self.dtype = indptr, indices, dtype
        self.size = indptr.size - 1

    @property
    def name(self) -> str:
        return self.backend.name

    @property
    def factor_bytes(self) -> int:
        return self.backend.factor_bytes

    def factorize(self, values: Numbers, slot: int = 0) -> Factor:
        self.versions[slot] = self.versions.get(slot, 0) + 1
        if values.shape != self._indices.shape or not np.can_cast(values.dtype, self.dtype):
            raise ValueError(
                f"values of shape {values.shape} and type {values.dtype} do not fit the pattern:"
                f" give {self._indices.shape} of {self.dtype}"
            )
        bad = values.size - np.count_nonzero(np.isfinite(values))
        if bad:
            raise LinAlgError(f"the matrix has {bad} entries that are not finite: check the state it was made from")
        if slot not in self._upper:
            data = np.empty(self._indices.size, self.dtype)
            self._upper[slot] = sp.csr_matrix((data, self._indices, self._indptr), shape=(self.size, self.size))
        target = self._upper[slot].data
        np.copyto(target, values)
        self.backend.factorize(target, slot)
        return _Factor(self, slot, self.versions[slot])

    def release(self) -> None:
        self.versions = {slot: version + 1 for slot, version in self.versions.items()}
        self._upper = {}
        self.backend.release()

    def product(self, vectors: Numbers, slot: int) -> Numbers:
        """The matrix times `vectors`, shape (n, k)."""
        upper = self._upper[slot]
        diagonal = upper.data[upper.indptr[:-1], None]
        result: Numbers = upper @ vectors + upper.T @ vectors - diagonal * vectors
        return result


@final
class _Factor:
    """The current factor in a slot of a `_Solver`."""

    def __init__(self, solver: _Solver, slot: int, version: int) -> None:
        self._solver = solver
        self._slot = slot
        self._version = version

    @property
    def fresh(self) -> bool:
        return self._version == self._solver.versions[self._slot]

    def solve(self, rhs: Numbers, *, checked: bool = True) -> Numbers:
        if not self.fresh:
            raise RuntimeError(
                "this factor is stale: its solver has factorised another matrix or was released; call factorize again"
            )
        right = self._checked(np.asarray(rhs))
        columns = right.reshape(right.shape[0], -1)
        solution = self._refined(columns) if checked else self._solver.backend.solve(columns, self._slot)
        return solution.reshape(right.shape)

    def _checked(self, rhs: Numbers) -> Numbers:
        size, dtype = self._solver.size, self._solver.dtype
        if rhs.ndim not in (1, 2) or rhs.shape[0] != size or rhs.size == 0:
            raise ValueError(f"right-hand side of shape {rhs.shape}: give ({size},) or ({size}, k) with k > 0")
        if not np.can_cast(rhs.dtype, dtype):
            raise TypeError(f"right-hand side of type {rhs.dtype} for a matrix of {dtype}: solve its parts one by one")
        if not np.isfinite(rhs).all():
            raise LinAlgError("the right-hand side is not finite: check the state it was made from")
        return rhs.astype(dtype, copy=False)

    @np.errstate(over="ignore", invalid="ignore")
    def _refined(self, rhs: Numbers) -> Numbers:
        """Solve with up to three steps of iterative refinement, kept only while they help."""
        scale = np.linalg.norm(rhs, axis=0)
        scale[scale == 0] = 1
        best, answer, residual, worst = np.inf, np.zeros_like(rhs), rhs, 1.0
        for _ in range(_MAX_REFINEMENTS + 1):
            trial = answer + self._solver.backend.solve(residual, self._slot)
            residual = rhs - self._solver.product(trial, self._slot)
            worst = float(np.max(np.linalg.norm(residual, axis=0) / scale, initial=0))
            if not worst < best:
                break
            best, answer = worst, trial
            if best < _REFINE_ABOVE:
                break
        if not best < _FAIL_ABOVE:
            note = self._solver.backend.note
            raise LinAlgError(f"the matrix is singular or nearly so: relative residual {worst:.1e} ({note})")
        return answer


@final
class _SuperLUBackend:
    """SciPy's SuperLU on the full matrix, its nodes of `block` unknowns in nested-dissection order."""

    name = "superlu"
    note = "SuperLU"

    def __init__(self, indptr: Indices, indices: Indices, block: int, dtype: np.dtype[Any]) -> None:
        size = indptr.size - 1
        rows = np.repeat(np.arange(size, dtype=np.int32), np.diff(indptr))
        self._order = (_node_order(rows // block, indices // block)[:, None] * block + np.arange(block)).ravel()
        place = np.argsort(self._order).astype(np.int32)
        entries = np.arange(indices.size)
        mirrored = np.flatnonzero(rows != indices)
        self._source = np.concatenate([entries, mirrored])
        rows, columns = place[rows], place[indices]
        rows, columns = np.append(rows, columns[mirrored]), np.append(columns, rows[mirrored])
        slots = np.lexsort((rows, columns))
        self._source = self._source[slots]
        starts = np.append(0, np.cumsum(np.bincount(columns, minlength=size))).astype(np.int32)
        self._matrix = sp.csc_matrix((np.zeros(rows.size, dtype), rows[slots], starts), shape=(size, size))
        self._factors: dict[int, SuperLU] = {}
        self.factor_bytes = 0

    def factorize(self, values: Numbers, slot: int) -> None:
        np.take(values, self._source, out=self._matrix.data)
        self._factors.pop(slot, None)
        try:
            factor = splu(
                self._matrix,
                permc_spec="NATURAL",
                diag_pivot_thresh=_PIVOT_THRESHOLD,
                options={"SymmetricMode": True},
            )
        except RuntimeError as error:
            raise LinAlgError(f"SuperLU factorisation failed: {error}") from error
        self._factors[slot] = factor
        self.factor_bytes = int(factor.nnz) * (4 + self._matrix.dtype.itemsize)

    def solve(self, rhs: Numbers, slot: int) -> Numbers:
        result = np.empty_like(rhs)
        result[self._order] = self._factors[slot].solve(rhs[self._order])
        return result

    def release(self) -> None:
        self._factors = {}


def _node_order(rows: Indices, columns: Indices) -> npt.NDArray[np.intp]:
    """Nested dissection of the graph with these edges: parts before the separators between them."""
    size = int(rows.max()) + 1
    graph = sp.csr_matrix((np.ones(rows.size, np.int32), (rows, columns)), shape=(size, size))
    graph = (graph + graph.T).tocsr()
    graph.data = np.ones(graph.nnz)
    waiting, backwards = [np.arange(size)], []
    while waiting:
        nodes = waiting.pop()
        parts = _dissected(graph[nodes][:, nodes]) if nodes.size > _LEAF_NODES else None
        *others, separator = parts or [np.arange(nodes.size)]
        backwards.append(nodes[separator])
        waiting.extend(nodes[part] for part in others)
    return np.concatenate(backwards[::-1])


def _dissected(graph: sp.csr_matrix) -> list[npt.NDArray[np.intp]] | None:
    """The nodes of each part, those of the separator last; None where no separator is worth it."""
    count, parts = connected_components(graph, directed=False)
    if count > 1:
        return np.split(np.argsort(parts, kind="stable"), np.cumsum(np.bincount(parts)))
    root = 0
    for _ in range(3):
        distance = dijkstra(graph, indices=root, unweighted=True)
        root = int(np.argmax(distance))
    layer = distance.astype(np.intp)
    sizes = np.bincount(layer)
    before = np.cumsum(sizes) - sizes
    after = layer.size - before - sizes
    balanced = np.flatnonzero(np.minimum(before, after) >= 0.3 * layer.size)
    if balanced.size == 0:
        return None
    cost = sizes * (1 + 0.5 * np.abs(before - after) / layer.size)
    middle = balanced[np.argmin(cost[balanced])]
    beyond = (graph @ (layer == middle + 1)) > 0
    separator = (layer == middle) & beyond
    return [np.flatnonzero((layer <= middle) & ~separator), np.flatnonzero(layer > middle), np.flatnonzero(separator)]
