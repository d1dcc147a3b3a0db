"""SciPy's spsolve with the assembly of this package: `python scipy_sfs.py problem.npz [--chain]`, see rivals.py."""

from __future__ import annotations

from argparse import Namespace

import scipy.sparse as sp
from common import Problem, main
from ours import Ours
from scipy.sparse.linalg import spsolve


class SciPy(Ours):
    """The upper triangle made full, then `spsolve`: factorisation and solve in one, nothing kept."""

    def factorize(self) -> None:
        """Factorise the tangent."""
        pattern = self.equation.pattern
        size = len(pattern.indptr) - 1
        upper = sp.csr_matrix((self.values, pattern.indices, pattern.indptr), shape=(size, size))
        full = (upper + sp.triu(upper, 1).T).tocsc()
        self.change = -spsolve(full, self.residual)

    def solve(self) -> None:
        """Nothing: done by `factorize`."""


def make(problem: Problem, options: Namespace) -> tuple[SciPy, str]:
    return SciPy(problem), "SuperLU, spsolve defaults"


if __name__ == "__main__":
    main(make, __doc__)
