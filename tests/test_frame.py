"""The rules of variation in the frame of U that docs/theory.md gives, on random matrices."""

import numpy as np
import oracle
import pytest

STEP = 1e-6
V = oracle.SIGMA[0] + 0.3 * oracle.SIGMA[2]


def objects(a, b, da, db):
    """a, b, p, q and the blocks of U^-1 V U, each with the diagonal blocks that it connects."""
    one = np.eye(2)
    n, nt = np.linalg.inv(one + a @ b), np.linalg.inv(one + b @ a)
    return {
        "a": (a, 0, 1), "b": (b, 1, 0), "p": (n @ da, 0, 1), "q": (nt @ db, 1, 0),
        "P": (n @ (V + a @ V @ b), 0, 0), "E": (n @ a @ V - n @ V @ a, 0, 1),
        "Et": (nt @ V @ b - b @ n @ V, 1, 0), "Q": (nt @ (V + b @ V @ a), 1, 1),
    }  # fmt: skip


def rules(o, xi, eta, dxi, deta):
    a, b, p, q = (o[name][0] for name in "abpq")
    pp, e, et, qq = (o[name][0] for name in ("P", "E", "Et", "Q"))
    return {
        "a": xi + a @ eta @ a, "b": eta + b @ xi @ b,
        "p": dxi - xi @ b @ p - p @ b @ xi, "q": deta - eta @ a @ q - q @ a @ eta,
        "P": e @ eta + xi @ et, "Q": -et @ xi - eta @ e, "E": xi @ qq - pp @ xi, "Et": qq @ eta - eta @ pp,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["a", "b", "p", "q", "P", "E", "Et", "Q"])
def test_matrices_vary_by_the_rules_of_the_frame(name):
    rng = np.random.default_rng(4)
    a, b, da, db, va, vb, vda, vdb = (oracle.random_spin(rng) for _ in range(8))
    plus, minus = (objects(a + s * va, b + s * vb, da + s * vda, db + s * vdb) for s in (STEP, -STEP))
    o = objects(a, b, da, db)
    one = np.eye(2)
    n, nt = np.linalg.inv(one + a @ b), np.linalg.inv(one + b @ a)
    xi, eta = n @ va, nt @ vb
    turn = a @ eta, b @ xi
    value, row, column = o[name]
    numerical = (plus[name][0] - minus[name][0]) / (2 * STEP) + turn[row] @ value - value @ turn[column]
    expected = rules(o, xi, eta, n @ vda, nt @ vdb)[name]
    assert np.abs(numerical - expected).max() < 1e-8
