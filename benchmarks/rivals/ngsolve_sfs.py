"""NGSolve in the comparison: `PYTHON ngsolve_sfs.py problem.npz [--inverse pardiso] [--chain]`, see rivals.py.

`Variation` takes real energies, so this is the functional on the Matsubara manifold b = sigma_y a* sigma_y, where it is
real: 8 real unknowns per node, the reduction that this package makes, written out for NGSolve and compiled to C++. The
complex functional has no `Variation`, and the linearisation of its symbolic `Diff` did not end within minutes on 500
cells; so there is no retarded problem.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import netgen.meshing as nm
import ngsolve as ng
import numpy as np
from common import EXCHANGE, Problem, both, density, main

ng.ngsglobals.msg_level = 0
BUBBLE = -0.125  # value of NGSolve's quadratic edge function in the middle of its edge
# The compiler script of the wheel and the python3 that it calls are in the folder of the interpreter.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


class Pair:
    """A complex number as two real coefficient functions."""

    def __init__(self, re: Any, im: Any = 0.0):
        self.re, self.im = re, im

    @staticmethod
    def of(x: Any) -> Pair:
        """A number or coefficient function as a pair."""
        return x if isinstance(x, Pair) else Pair(x)

    def __add__(self, other: Any) -> Pair:
        other = Pair.of(other)
        return Pair(self.re + other.re, self.im + other.im)

    def __mul__(self, other: Any) -> Pair:
        other = Pair.of(other)
        return Pair(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)

    def __neg__(self) -> Pair:
        return Pair(-self.re, -self.im)

    def __sub__(self, other: Any) -> Pair:
        return self + -Pair.of(other)

    def __rsub__(self, other: Any) -> Pair:
        return Pair.of(other) - self

    def __rtruediv__(self, other: Any) -> Pair:
        square = self.re * self.re + self.im * self.im
        return Pair(self.re / square, -self.im / square) * other

    __radd__, __rmul__ = __add__, __mul__


def netgen_mesh(problem: Problem) -> ng.Mesh:
    mesh = nm.Mesh(dim=problem.dim)
    mesh.Add(nm.FaceDescriptor(surfnr=1, domin=1, bc=1))
    mesh.AddPoints(np.ascontiguousarray(np.pad(problem.points, ((0, 0), (0, 3 - problem.dim)))))
    mesh.AddElements(dim=problem.dim, index=1, data=np.ascontiguousarray(problem.cells, np.int32), base=0)
    mesh.SetMaterial(1, "F")
    return ng.Mesh(mesh)


def matrix(entry: Any) -> Any:
    return (entry(0), entry(1)), (entry(2), entry(3))


class NGSolve:
    """A vector-valued H1 space, the compiled first variation, and one of NGSolve's direct solvers."""

    retarded = False

    def __init__(self, problem: Problem, inverse: str):
        self.inverse = inverse
        mesh = netgen_mesh(problem)
        scalar = ng.H1(mesh, order=problem.order)
        self.space = scalar**8
        positions, self.edges = dof_positions(mesh, problem.order)
        self.number = problem.order_of(positions)
        self.free = ng.BitArray(self.space.ndof)
        self.free.Set()
        for node in self.number[problem.ends()]:
            for c in range(8):
                self.free.Clear(c * scalar.ndof + int(node))
        self.w = ng.Parameter(1.0)
        self.form = ng.BilinearForm(self.space, symmetric=True)
        rule = ng.IntegrationRule([tuple(x) for x in problem.rule_points], list(problem.rule_weights))
        dx = ng.dx(intrules={ng.TRIG if problem.dim == 2 else ng.TET: rule})
        self.form += self.energy(problem.dim, dx)
        self.u, self.r, self.change = (ng.GridFunction(self.space) for _ in range(3))
        self.inverted: Any = None

    def energy(self, dim: int, dx: Any) -> Any:
        """The functional, compiled."""
        u = self.space.TrialFunction()
        du = ng.Grad(u)

        def parts(x: Any) -> Any:
            """a and b = sigma_y a* sigma_y of eight real numbers."""
            conjugate = (Pair(x(6), -x(7)), Pair(-x(4), x(5)), Pair(-x(2), x(3)), Pair(x(0), -x(1)))
            return matrix(lambda i: Pair(x(2 * i), x(2 * i + 1))), matrix(lambda i: conjugate[i])

        a, b = parts(lambda i: u[i])
        da, db = zip(*(parts(lambda i, k=k: du[i, k]) for k in range(dim)), strict=True)
        hx, hz = EXCHANGE * ng.sin(ng.x), EXCHANGE * ng.cos(ng.x)
        f = density(Pair(self.w), hx, hz, a, b, da, db, unit=Pair(0.0, 1.0))
        return ng.Variation(f.re * dx).Compile(realcompile=True, wait=True)

    def set(self, w: complex, state: np.ndarray) -> None:
        """Take a state, already clamped, at w."""
        self.w.Set(w.real)
        values = np.ascontiguousarray(state[:, :4]).view(float)
        dofs = self.u.vec.FV().NumPy().reshape(8, -1)
        dofs[:, self.number] = values.T
        corners = dofs.shape[1] - len(self.edges)
        dofs[:, corners:] = (dofs[:, corners:] - dofs[:, self.edges].mean(axis=2)) / BUBBLE

    def assemble(self) -> None:
        """Residual and tangent."""
        self.form.Apply(self.u.vec, self.r.vec)
        self.form.AssembleLinearization(self.u.vec)

    def factorize(self) -> None:
        """Factorise the tangent."""
        if self.inverted is None:
            self.inverted = self.form.mat.Inverse(self.free, inverse=self.inverse)
        else:
            self.inverted.Update()

    def solve(self) -> None:
        """Solve for the Newton step."""
        self.change.vec.data = -self.inverted * self.r.vec

    def step(self) -> np.ndarray:
        """The last Newton step, shape (n, 8)."""
        dofs = self.change.vec.FV().NumPy().reshape(8, -1).copy()
        corners = dofs.shape[1] - len(self.edges)
        dofs[:, corners:] = BUBBLE * dofs[:, corners:] + dofs[:, self.edges].mean(axis=2)
        values = np.ascontiguousarray(dofs[:, self.number].T)
        return both(values.view(complex))


def dof_positions(mesh: ng.Mesh, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the degrees of freedom are, vertices and then midpoints of edges, and the vertices of these edges."""
    points = np.array([v.point for v in mesh.vertices])
    ends = np.array([[v.nr for v in e.vertices] for e in mesh.edges] if order == 2 else []).reshape(-1, 2).astype(int)
    return np.concatenate([points, points[ends].mean(axis=1)]), ends


def make(problem: Problem, options: Namespace) -> tuple[NGSolve, str]:
    inverse = options.inverse or "pardiso"
    return NGSolve(problem, inverse), f"NGSolve {ng.__version__}, {inverse}"


if __name__ == "__main__":
    main(make, __doc__)
