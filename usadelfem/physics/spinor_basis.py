"""Change of the spinor basis."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import as_array, choice, named, shown

# Psi_ps = V Psi with Psi = (psi_up, psi_dn, psi_dn^+, -psi_up^+), Psi_ps = (psi_up, psi_dn, psi_up^+, psi_dn^+).
UNITARY = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]], float)


@named()
def change_basis(g: ArrayLike, *, to: str, axes: tuple[int, int] | None = None) -> NDArray[np.complex128]:
    """A Green's function, self-energy or matrix current in the other common spinor basis.

    The package works in the basis "nambu", Psi = (psi_up, psi_dn, psi_dn^+, -psi_up^+), where singlet pairing is the
    unit matrix in spin space. The other common one, "ps", is (psi_up, psi_dn, psi_up^+, psi_dn^+), where it is i
    sigma_y, and an exchange field acts on holes as -h.sigma*. They are related by the unitary V = diag(1, -i sigma_y)
    (Huang, Tokatly, Bergeret, Phys. Rev. B 98, 144515 (2018), section III): g_ps = V g V^+.

    Parameters
    ----------
    g
        Matrices 4x4: (4, 4), (4, 4, npoints), (frequencies, 4, 4), (frequencies, 4, 4, npoints) as `Equilibrium.green`
        returns, or any array with `axes` given.
    to
        "ps", or "nambu" for the way back.
    axes
        The two matrix axes. None: the only adjacent pair of length 4; axes 1 and 2 of a four-dimensional array.

    Returns
    -------
    array of the shape of g

    Raises
    ------
    ValueError
        If there is no such basis, or the matrix axes are not found.
    """
    choice("to", to, ("ps", "nambu"))
    array = as_array(g)
    if array is None:
        raise ValueError(f"g is {shown(g)}; allowed is an array of complex matrices 4x4")
    rows, columns = _matrix_axes(array, axes)
    v = UNITARY if to == "ps" else UNITARY.T
    moved = np.moveaxis(array, (rows, columns), (-2, -1))
    return np.asarray(np.moveaxis(v @ moved @ v.T, (-2, -1), (rows, columns)))


def _matrix_axes(array: NDArray[Any], axes: tuple[int, int] | None) -> tuple[int, int]:
    if axes is not None:
        valid = isinstance(axes, tuple | list) and len(axes) == 2 and all(isinstance(a, Integral) for a in axes)
        valid = valid and all(-array.ndim <= a < array.ndim and array.shape[a] == 4 for a in axes)
        if not valid or (axes[0] - axes[1]) % array.ndim == 0:
            raise ValueError(
                f"axes are {shown(axes)}; allowed are two different axes of length 4 of an array of shape {array.shape}"
            )
        return axes
    found = [i for i in range(array.ndim - 1) if array.shape[i : i + 2] == (4, 4)]
    if array.ndim == 4 and 1 in found:
        return 1, 2
    if len(found) != 1:
        raise ValueError(f"the matrix axes of an array of shape {array.shape} are not clear; give axes=(row, column)")
    return found[0], found[0] + 1
