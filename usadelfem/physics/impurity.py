"""Kinetic coefficients of a dirty metal from the microscopic scattering model.

Source: C. Huang, I. V. Tokatly, F. S. Bergeret, Phys. Rev. B 98, 144515 (2018), Eqs. 4, 5, 33-37, 44, 45 and 56:
short-range impurities with scattering length a_s and extrinsic spin-orbit coupling lambda^2 (effective Compton
wavelength lambda), in the first order of lambda^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import as_array, named, shown
from ..errors import warn

Real = NDArray[np.float64]

# Where the theory is not quantitative any more: it wants p_F l >> 1, lambda p_F << 1 and a small spin Hall angle.
SMALLEST_PF_L = 10.0
LARGEST_LAMBDA_PF = 0.3
LARGEST_THETA = 1.0


@dataclass(frozen=True, eq=False)
class ImpurityScattering:
    """Kinetic coefficients of a metal with impurities; every attribute a number or an array. hbar = 1.

    Attributes
    ----------
    D
        Diffusion coefficient v_F l / 3, length^2 x energy.
    tau, mean_free_path
        Elastic scattering time, 1/energy, and l = v_F tau.
    theta, theta_skew, theta_side_jump
        Spin Hall angle, and its parts (2/3) w2 tau of skew scattering and 2 w1 tau / (p_F l) of the side jump.
    kappa, kappa_local, kappa_nonlocal
        Spin-swapping coefficient, and its parts (2/3) w1 tau of the local collision integral and -2 w2 tau / (p_F l) of
        its nonlocal correction.
    tau_so
        Spin-orbit scattering time, 1/energy; infinite without spin-orbit coupling.
    density_of_states
        N_F = m p_F / 2 pi^2 per spin.
    fermi_momentum, compton_wavelength
        As given.
    """

    D: Any
    tau: Any
    mean_free_path: Any
    theta_skew: Any
    theta_side_jump: Any
    kappa_local: Any
    kappa_nonlocal: Any
    tau_so: Any
    density_of_states: Any
    fermi_momentum: Any
    compton_wavelength: Any

    @property
    def l(self) -> Any:  # noqa: E743
        """Mean free path, the same as `mean_free_path`."""
        return self.mean_free_path

    @property
    def theta(self) -> Any:
        """Spin Hall angle, the sum of its two parts."""
        return self.theta_skew + self.theta_side_jump

    @property
    def kappa(self) -> Any:
        """Spin-swapping coefficient, the sum of its two parts."""
        return self.kappa_local + self.kappa_nonlocal

    def coefficients(self) -> dict[str, Any]:
        """D, theta, kappa and tau_so as keyword arguments of `normal_metal`, `superconductor` or `ferromagnet`."""
        return {"D": self.D, "theta": self.theta, "kappa": self.kappa, "tau_so": self.tau_so}


@named()
def impurity_scattering(
    *, scattering_length: ArrayLike, compton_wavelength: ArrayLike, fermi_momentum: ArrayLike, concentration: ArrayLike,
    mass: ArrayLike,
) -> ImpurityScattering:  # fmt: skip
    """Diffusion, spin Hall, spin-swapping and spin relaxation coefficients of a metal with impurities.

    With t_0 = 2 pi a_s / m, t_F = t_0 / (1 + i p_F a_s) and B = lambda^2 p_F^2 t_0: 1/tau = 2 pi n N_F |t_F|^2 and
    w1 + i w2 = 2 pi n N_F t_F* B, so that w1 tau = lambda^2 p_F^2 and w2 = p_F a_s w1 (optical theorem). Then theta =
    (2/3) w2 tau + 2 w1 tau / (p_F l), kappa = (2/3) w1 tau - 2 w2 tau / (p_F l), 1/tau_so = (8/9) (lambda p_F)^4 / tau.

    Parameters
    ----------
    scattering_length
        a_s, of any sign and size but zero: large |a_s| is the resonant (unitary) limit, where tau no longer depends on
        it while the skew scattering keeps growing.
    compton_wavelength
        Effective Compton wavelength lambda of the spin-orbit coupling, not negative.
    fermi_momentum, concentration, mass
        p_F (1/length), impurities per volume, and effective mass (hbar = 1: 1/(energy length^2)); positive.

        Each a number, or an array such as one value per vertex of a mesh (a graded alloy); arrays are broadcast.

    Returns
    -------
    ImpurityScattering

    Raises
    ------
    ValueError
        If a value is out of range.

    Warns
    -----
    UserWarning
        Where the theory does not hold: p_F l < 10, lambda p_F > 0.3, or a spin Hall angle above 1.
    """
    given = {
        "scattering_length": scattering_length, "compton_wavelength": compton_wavelength,
        "fermi_momentum": fermi_momentum, "concentration": concentration, "mass": mass,
    }  # fmt: skip
    a, lam, pf, n, m = (_checked(name, value) for name, value in given.items())
    try:
        np.broadcast_shapes(*(np.shape(value) for value in (a, lam, pf, n, m)))
    except ValueError as error:
        shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in given.items())
        raise ValueError(f"arrays of shapes that do not fit: {shapes}") from error
    density = m * pf / (2 * np.pi**2)
    # |t_F|^2 in a form that stays finite in the resonant limit
    tau = 1 / (2 * np.pi * n * density * (2 * np.pi / m) ** 2 / ((1 / a) ** 2 + pf**2))
    path = pf / m * tau
    w1_tau, w2_tau = (lam * pf) ** 2, (lam * pf) ** 2 * pf * a
    with np.errstate(divide="ignore", over="ignore"):
        tau_so = np.asarray(9 / 8 * tau / (lam * pf) ** 4)
    values = {
        "D": pf / m * path / 3, "tau": tau, "mean_free_path": path, "theta_skew": 2 / 3 * w2_tau,
        "theta_side_jump": 2 * w1_tau / (pf * path), "kappa_local": 2 / 3 * w1_tau,
        "kappa_nonlocal": -2 * w2_tau / (pf * path), "tau_so": tau_so, "density_of_states": density,
        "fermi_momentum": pf, "compton_wavelength": lam,
    }  # fmt: skip
    shape = np.broadcast_shapes(*(np.shape(value) for value in values.values()))
    result = ImpurityScattering(**{name: _plain(np.broadcast_to(value, shape)) for name, value in values.items()})
    _warn(pf * path, lam * pf, result.theta)
    return result


def _checked(name: str, value: ArrayLike) -> Real:
    found = as_array(value)
    if found is None or found.dtype.kind not in "iuf":
        raise ValueError(f"{name} is {shown(value)}; allowed is a finite number, or an array of them")
    array = found.astype(float)
    signs = {"scattering_length": (array != 0, "different from 0"), "compton_wavelength": (array >= 0, ">= 0")}
    good, allowed = signs.get(name, (array > 0, "> 0"))
    if not array.size:
        raise ValueError(f"{name} is empty; allowed is a finite number {allowed}, or an array of at least one")
    if not (good & np.isfinite(array)).all():
        worst = array[~(good & np.isfinite(array))].flat[0]
        hint = "; the resonant limit is a large finite value, p_F |a_s| >> 1" if name == "scattering_length" else ""
        raise ValueError(f"{name} is {worst}; allowed is a finite number {allowed}{hint}")
    return array


def _plain(value: Real) -> Any:
    """A Python float for a scalar, an array otherwise."""
    if value.ndim == 0:
        return float(value)
    own = np.array(value)
    own.flags.writeable = False
    return own


def _warn(pf_l: Any, lambda_pf: Any, theta: Any) -> None:
    smallest, largest, angle = np.min(pf_l), np.max(lambda_pf), np.max(np.abs(theta))
    found = {
        f"p_F l is {smallest:.3g}: diffusion theory needs p_F l >> 1, fewer impurities": smallest < SMALLEST_PF_L,
        f"lambda p_F is {largest:.3g}: the theory is an expansion in lambda p_F << 1": largest > LARGEST_LAMBDA_PF,
        f"the spin Hall angle is {angle:.3g}: the theory is of first order in it": angle > LARGEST_THETA,
    }
    for message, holds in found.items():
        if holds:
            warn(message)
