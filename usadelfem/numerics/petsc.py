"""PETSc for problems beyond the memory of one process: MUMPS on all ranks of MPI, or a block-preconditioned iteration.

All ranks run the same script and hold the same mesh and states; the matrix, its factors and the solution of its systems
are distributed over them.
"""

from __future__ import annotations

import importlib
from typing import Any, final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from numpy.linalg import LinAlgError

Numbers = npt.NDArray[Any]
Indices = npt.NDArray[np.int32]

# The iteration ends at this relative residual; what it leaves is removed by the refinement of the caller.
ITERATIVE_TOLERANCE = 1e-10
MAX_ITERATIONS = 400
RESTART = 80
FILL_LEVELS = 1


def find_petsc() -> Any:
    """The module petsc4py.PETSc.

    Raises
    ------
    ImportError
        If petsc4py is missing.
    """
    for bundle in ("dolfinx_solver", None):  # a wheel that brings PETSc and has to load its own MPI first
        try:
            if bundle:
                importlib.import_module(bundle)
        except ImportError:
            continue
    try:
        return importlib.import_module("petsc4py.PETSc")
    except ImportError as error:
        raise ImportError(
            "linear solvers 'petsc' and 'petsc-iterative' need petsc4py (with MUMPS for 'petsc'): install it for "
            "your MPI, or the wheel dolfinx-solver-complex; or choose another linear_solver"
        ) from error


@final
class PetscBackend:
    """Factors, or preconditioners, of symmetric matrices given by their upper triangle, on MPI's world communicator."""

    def __init__(
        self, indptr: Indices, indices: Indices, block: int, dtype: np.dtype[Any], slots: int = 1, *,
        iterative: bool = False,
    ) -> None:  # fmt: skip
        self._petsc = find_petsc()
        self._iterative = iterative
        self.name = "petsc-iterative" if iterative else "petsc"
        self.note = "PETSc"
        self.factor_bytes = 0
        self._block, self._slots = block, slots
        if dtype.kind == "c" and not np.issubdtype(self._petsc.ScalarType, np.complexfloating):
            raise ImportError("this PETSc was built for real numbers; retarded problems need one for complex numbers")
        self._rows, self._entries = self._local_rows(indptr, indices)
        self._dtype = dtype
        self._solvers: dict[int, Any] = {}

    def _local_rows(self, indptr: Indices, indices: Indices) -> tuple[slice, sp.csr_matrix]:
        """The rows of this rank, and where their entries are in the upper triangle."""
        size = indptr.size - 1
        number = sp.csr_matrix((np.arange(1, indices.size + 1), indices, indptr), shape=(size, size))
        whole = (number + sp.triu(number, 1).T).tocsr()
        whole.sort_indices()
        comm = self._petsc.COMM_WORLD
        nodes, ranks = size // self._block, comm.getSize()
        bounds = self._block * np.array([nodes * rank // ranks for rank in range(ranks + 1)])
        rows = slice(int(bounds[comm.getRank()]), int(bounds[comm.getRank() + 1]))
        self._size = size
        return rows, whole[rows]

    def factorize(self, values: Numbers, slot: int) -> None:
        """Factorise, or make the preconditioner, into a slot. Raises LinAlgError with PETSc's reason."""
        self._release(slot)
        own, petsc = self._entries, self._petsc
        count = self._rows.stop - self._rows.start
        matrix = petsc.Mat().createAIJ(
            ((count, self._size), (count, self._size)), bsize=self._block,
            csr=(own.indptr.astype(petsc.IntType), own.indices.astype(petsc.IntType), values[own.data - 1]),
            comm=petsc.COMM_WORLD,
        )  # fmt: skip
        matrix.setOption(petsc.Mat.Option.SYMMETRIC, True)
        solver = petsc.KSP().create(petsc.COMM_WORLD)
        if self._iterative:
            matrix = matrix.convert("baij")
        solver.setOperators(matrix)
        self._choose(solver)
        try:
            solver.setUp()
        except petsc.Error as error:
            raise LinAlgError(f"PETSc could not factorise the matrix: {error}") from error
        self._solvers[slot] = solver, matrix
        self.factor_bytes = self._memory(solver)

    def _choose(self, solver: Any) -> None:
        petsc, pc = self._petsc, solver.getPC()
        if not self._iterative:
            solver.setType("preonly")
            pc.setType("cholesky")
            pc.setFactorSolverType("mumps")
            return
        # Overlapping blocks of all nodes of a rank, each with an incomplete factorisation by nodes.
        solver.setType("gmres")
        solver.setGMRESRestart(RESTART)
        solver.setTolerances(rtol=ITERATIVE_TOLERANCE, max_it=MAX_ITERATIONS)
        solver.setPCSide(petsc.PC.Side.RIGHT)
        prefix = f"usadelfem_{id(self)}_"
        solver.setOptionsPrefix(prefix)
        options = petsc.Options()
        for name, value in {"pc_type": "asm", "sub_pc_type": "ilu", "sub_pc_factor_levels": FILL_LEVELS}.items():
            options[f"{prefix}{name}"] = value
        solver.setFromOptions()

    def _memory(self, solver: Any) -> int:
        if self._iterative:
            return int(self._entries.nnz * self._dtype.itemsize * (1 + FILL_LEVELS))
        factor = solver.getPC().getFactorMatrix()
        return int(factor.getMumpsInfog(9)) * 16 if factor.getMumpsInfog(9) > 0 else 0

    def solve(self, rhs: Numbers, slot: int, *, transposed: bool = False) -> Numbers:
        """Solve for `rhs` of shape (n, k), the same on every rank. Raises LinAlgError if it does not converge.

        The matrices are symmetric, so that `transposed` changes nothing.
        """
        solver, matrix = self._solvers[slot]
        x, b = matrix.createVecs()
        answer = np.empty(rhs.shape, self._dtype)
        for k in range(rhs.shape[1]):
            b.setArray(rhs[self._rows, k])
            solver.solve(b, x)
            if solver.getConvergedReason() < 0:
                raise LinAlgError(
                    f"PETSc's {solver.getType()} did not converge in {solver.getIterationNumber()} iterations (reason "
                    f"{solver.getConvergedReason()}): choose a direct linear_solver"
                )
            answer[:, k] = self._gathered(x)
        return answer

    def _gathered(self, vector: Any) -> Numbers:
        scatter, whole = self._petsc.Scatter.toAll(vector)
        scatter.scatter(vector, whole, addv=False, mode=self._petsc.Scatter.Mode.FORWARD)
        array = whole.getArray().copy()
        scatter.destroy()
        whole.destroy()
        return np.asarray(array if self._dtype.kind == "c" else array.real)

    def release(self) -> None:
        """Free the memory of all factors."""
        for slot in list(self._solvers):
            self._release(slot)

    def _release(self, slot: int) -> None:
        for part in self._solvers.pop(slot, ()):
            part.destroy()
