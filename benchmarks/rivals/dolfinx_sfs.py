"""DOLFINx in the comparison: `PYTHON dolfinx_sfs.py problem.npz [--inverse cholesky|lu] [--chain]`, see rivals.py.

The complex functional in UFL, differentiated twice by UFL, compiled with optimisation, factorised by MUMPS through
PETSc: LDLT of the complex symmetric matrix ("cholesky") or LU.
"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import dolfinx_solver  # noqa: F401  before dolfinx: it loads MPI

# isort: split
import basix.ufl
import dolfinx
import numpy as np
import ufl
from common import EXCHANGE, Problem, density, main
from dolfinx import fem
from dolfinx.fem import petsc
from mpi4py import MPI
from petsc4py import PETSc

COMPILER = {"cffi_extra_compile_args": ["-O3", "-march=native", "-ffast-math"], "timeout": 3600}


def matrix(entry: Any) -> Any:
    return (entry(0), entry(1)), (entry(2), entry(3))


class Dolfinx:
    """Residual, tangent and MUMPS."""

    retarded = True

    def __init__(self, problem: Problem, factorization: str):
        dim = problem.dim
        shape = "triangle" if dim == 2 else "tetrahedron"
        linear = basix.ufl.element("Lagrange", shape, 1, shape=(dim,))
        mesh = dolfinx.mesh.create_mesh(MPI.COMM_SELF, problem.cells, linear, np.ascontiguousarray(problem.points))
        self.space = fem.functionspace(mesh, ("Lagrange", problem.order, (8,)))
        self.number = problem.order_of(self.space.tabulate_dof_coordinates())
        self.u, self.w = fem.Function(self.space), fem.Constant(mesh, PETSc.ScalarType(1.0))
        first, second = self.variations(mesh, problem)
        self.residual, self.tangent = (fem.form(f, jit_options=COMPILER) for f in (first, second))
        zero = fem.Function(self.space)
        self.conditions = [fem.dirichletbc(zero, self.number[problem.ends()].astype(np.int32))]
        self.matrix = petsc.create_matrix(self.tangent)
        self.matrix.setOption(PETSc.Mat.Option.SYMMETRIC, factorization == "cholesky")
        self.r, self.change = self.matrix.createVecRight(), self.matrix.createVecRight()
        self.pc = PETSc.PC().create(MPI.COMM_SELF)
        self.pc.setType(factorization)
        self.pc.setFactorSolverType("mumps")
        self.pc.setOperators(self.matrix)

    def variations(self, mesh: Any, problem: Problem) -> tuple[Any, Any]:
        """First and second variation, written for UFL's sesquilinear forms: the test function is conjugated."""
        rule = {
            "quadrature_rule": "custom",
            "quadrature_points": problem.rule_points,
            "quadrature_weights": problem.rule_weights,
        }
        dx = ufl.Measure("dx", mesh, metadata=rule)
        x, dim, u = ufl.SpatialCoordinate(mesh), problem.dim, self.u
        hx, hz = EXCHANGE * ufl.sin(x[0]), EXCHANGE * ufl.cos(x[0])
        a, b = matrix(lambda i: u[i]), matrix(lambda i: u[4 + i])
        da = [matrix(lambda i, k=k: u[i].dx(k)) for k in range(dim)]
        db = [matrix(lambda i, k=k: u[4 + i].dx(k)) for k in range(dim)]
        functional = density(self.w, hx, hz, a, b, da, db) * dx
        test, trial = ufl.TestFunction(self.space), ufl.TrialFunction(self.space)
        first = ufl.algorithms.expand_derivatives(ufl.derivative(functional, u, test))
        first = ufl.replace(first, {test: ufl.conj(test)})
        return first, ufl.derivative(first, u, trial)

    def set(self, w: complex, state: np.ndarray) -> None:
        """Take a state, already clamped, at w."""
        self.w.value = w
        self.u.x.array.reshape(-1, 8)[self.number] = state

    def assemble(self) -> None:
        """Residual and tangent."""
        with self.r.localForm() as local:
            local.set(0.0)
        petsc.assemble_vector(self.r, self.residual)
        petsc.set_bc(self.r, self.conditions)
        self.matrix.zeroEntries()
        petsc.assemble_matrix(self.matrix, self.tangent, bcs=self.conditions)
        self.matrix.assemble()

    def factorize(self) -> None:
        """Factorise the tangent."""
        self.pc.setOperators(self.matrix)
        self.pc.setUp()

    def solve(self) -> None:
        """Solve for the Newton step."""
        self.pc.apply(self.r, self.change)
        self.change.scale(-1.0)

    def step(self) -> np.ndarray:
        """The last Newton step, shape (n, 8)."""
        return self.change.array.reshape(-1, 8)[self.number].copy()


def make(problem: Problem, options: Namespace) -> tuple[Dolfinx, str]:
    factorization = options.inverse or "cholesky"
    return Dolfinx(problem, factorization), f"DOLFINx {dolfinx.__version__}, MUMPS, {factorization}"


if __name__ == "__main__":
    main(make, __doc__)
