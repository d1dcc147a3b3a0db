"""What a film of a metal is made of: D and N0 from a resistivity, the pairing, the exchange field, the spin relaxation.

Numbers are in the units of `UNITS` here; each coefficient of a material leaves with its unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import constants

from ..checks import as_number, number, numbers, shown
from ..errors import DeviceError
from .datum import EV_NM3, Datum

Values = dict[str, tuple[Any, str]]  # coefficient of a `Material` -> value and unit
# What a film is told -> unit of a plain number.
UNITS = {
    "resistivity": "uohm*cm", "Tc": "K", "mean_free_path": "nm", "D": "cm**2/s", "N0": "1/(eV*nm**3)",
    "exchange": "meV", "gap": "meV", "tau_so": "ps", "spin_diffusion_length": "nm", "spin_hall_angle": "dimensionless",
}  # fmt: skip
BCS_RATIO = 1.764  # gap at zero temperature over k_B Tc: Bardeen, Cooper, Schrieffer, doi:10.1103/PhysRev.108.1175
MEV_PER_K = constants.k / constants.e * 1e3
# 1/(2 e^2 N0 rho) in cm^2/s, of N0 in 1/(eV nm^3) and rho in uohm cm.
EINSTEIN = EV_NM3 / (2 * constants.e**2 * 1e-8) * 1e4


def film_values(name: str, kind: str, data: Mapping[str, Datum], given: Mapping[str, Any]) -> Values:
    """Coefficients of a film with their units.

    Parameters
    ----------
    name, kind
        Name and kind of the metal.
    data
        Published numbers of the metal.
    given
        What is known of the film: arguments of `Metal.film`, None where nothing is.

    Raises
    ------
    DeviceError
        If the numbers do not determine the film, contradict each other, or are out of range.
    """
    if kind == "insulator":
        raise DeviceError(
            f"{name} is an insulator: there is no film of it for the Usadel equation to hold in. Describe the metal "
            "next to it, with an exchange field or with a SpinActive barrier, and leave the insulator out of the mesh"
        )
    film = {key: _plain(f"{name}: {key}", value, UNITS[key]) for key, value in given.items() if value is not None}
    values = _transport(name, data, film)
    values |= _pairing(name, kind, data, film)
    if kind == "ferromagnet" or "exchange" in film:
        values["exchange"] = (_exchange(name, data, film), "meV")
    values |= _spins(name, data, film, float(values["D"][0]))
    return values


def _plain(name: str, value: Any, unit: str) -> Any:
    """A number in the unit, of a number or a quantity; True and False, and vectors, stay."""
    if not hasattr(value, "to") or not hasattr(value, "magnitude"):
        return value
    try:
        return value.to(unit).magnitude
    except Exception as error:  # pint's DimensionalityError
        raise DeviceError(f"{name} is {shown(value)}; allowed is a quantity that can be converted to {unit}") from error


def _given(name: str, film: Mapping[str, Any], key: str) -> float | None:
    """A positive number that the user gave, or None."""
    if key not in film:
        return None
    return number(f"{name}: {key}", film[key], above=0, error=DeviceError, note=f" in {UNITS[key]}, or a quantity")


def _known(name: str, data: Mapping[str, Datum], key: str, advice: str) -> Datum:
    """A published number; DeviceError if the table has none."""
    if key not in data:
        raise DeviceError(f"{name}: the table has no {key} with a source; {advice}")
    return data[key]


def _transport(name: str, data: Mapping[str, Datum], film: Mapping[str, Any]) -> Values:
    """D and N0. Two of D, N0 and the resistivity give the third, 1/rho = 2 e^2 N0 D with N0 per spin (Einstein)."""
    rho, diffusion, states = (_given(name, film, key) for key in ("resistivity", "D", "N0"))
    path = _given(name, film, "mean_free_path")
    if path is not None:
        if rho is not None or diffusion is not None:
            raise DeviceError(f"{name}: mean_free_path is given in place of resistivity and D; leave these out")
        rho, diffusion = _of_path(name, data, path)
    if rho is not None and diffusion is not None and states is not None:
        raise DeviceError(f"{name}: resistivity, D and N0 are all given; two of them give the third")
    if states is None and "N0" in data and (rho is None or diffusion is None):
        states = data["N0"].value
    rho, diffusion = _completed(name, data, rho, diffusion, states)
    if states is None and rho is not None:
        states = EINSTEIN / (rho * (diffusion or np.nan))
    if diffusion is None and rho is not None and states is not None:
        diffusion = EINSTEIN / (rho * states)
    if states is None or diffusion is None:
        raise DeviceError(f"{name}: the table has no N0 with a source; give resistivity=... in uohm cm beside D")
    return {"D": (diffusion, UNITS["D"]), "N0": (states, UNITS["N0"])}


def _of_path(name: str, data: Mapping[str, Datum], path: float) -> tuple[float | None, float | None]:
    """Resistivity of a mean free path, of which D follows as any other's; or D, where only v_F is known.

    The first is D = v_F l/3 too, with the velocity of quasiparticles, which is as much smaller as their N0 is larger
    by the electron-phonon enhancement. The conductivity has neither.
    """
    if "rho_l" in data:
        return data["rho_l"].value * 1e2 / path, None
    velocity = _known(name, data, "fermi_velocity", "give D, or the resistivity, in place of mean_free_path")
    return None, velocity.value * path * 1e-9 / 3 * 1e4


def _completed(
    name: str, data: Mapping[str, Datum], rho: float | None, diffusion: float | None, states: float | None
) -> tuple[float | None, float | None]:
    """Resistivity and D, from the table what is needed and not given."""
    if diffusion is None and "D" in data and (rho is None or states is None):
        diffusion = data["D"].value
    if rho is None and (diffusion is None or states is None):
        rho = data["resistivity"].value if "resistivity" in data else None
    if rho is None and diffusion is None:
        raise DeviceError(
            f"{name}: the resistivity of films differs from one to the next, and the table has none with a source; "
            f"give resistivity=... in uohm cm (of the film, just above Tc or at 4 K), D=... in cm^2/s"
            f"{' or mean_free_path=... in nm' if {'rho_l', 'fermi_velocity'} & set(data) else ''}"
        )
    if rho is not None and diffusion is None and states is None:
        raise DeviceError(
            f"{name}: the table has no N0 with a source, which D = 1/(2 e^2 N0 rho) needs; give N0=... per spin in "
            "1/(eV nm^3), or D=... in cm^2/s, beside the resistivity"
        )
    return rho, diffusion


def _pairing(name: str, kind: str, data: Mapping[str, Datum], film: Mapping[str, Any]) -> Values:
    """Tc, with which the gap is self-consistent, or a given gap; gap=True is that of the theory at zero temperature."""
    tc = film.get("Tc")
    if tc is not None:
        tc = number(f"{name}: Tc", tc, least=0, error=DeviceError, note=" in K, or a quantity")
    elif kind == "superconductor":
        tc = data["Tc"].value
    gap = film.get("gap")
    if gap is None or gap is False:
        return {} if tc is None else {"Tc": (tc, "K")}
    if gap is True:
        if tc is None:
            raise DeviceError(f"{name} is no superconductor: gap=True needs Tc=... in K")
        return {"gap": (BCS_RATIO * MEV_PER_K * tc, "meV")}
    return {"gap": (number(f"{name}: gap", gap, least=0, error=DeviceError, note=" in meV, or True"), "meV")}


def _exchange(name: str, data: Mapping[str, Datum], film: Mapping[str, Any]) -> Any:
    """The exchange field as a vector in meV; a number is one along z."""
    allowed = "a number or three of them, in meV, or a quantity"
    if "exchange" not in film:
        return np.array([0.0, 0.0, _known(name, data, "exchange", "give exchange=... in meV").value])
    field = film["exchange"]
    if as_number(field) is not None:
        field = [0.0, 0.0, number(f"{name}: exchange", field, error=DeviceError, what="energy", note=" in meV")]
    vector = numbers(f"{name}: exchange", field, allowed, error=DeviceError)
    if vector.shape != (3,):
        raise DeviceError(f"{name}: exchange is {shown(film['exchange'])}; allowed is {allowed}")
    return vector


def _spins(name: str, data: Mapping[str, Datum], film: Mapping[str, Any], diffusion: float) -> Values:
    """tau_so and theta, where they are asked for; l = sqrt(D tau_so)."""
    values: Values = {}
    tau = _given(name, film, "tau_so")
    length = film.get("spin_diffusion_length")
    if tau is not None and length not in (None, False):
        raise DeviceError(f"{name}: both tau_so and spin_diffusion_length are given; l^2 = D tau_so, one is enough")
    if length is True:
        length = _spin_diffusion_length(name, data, film)
    if length is not None and length is not False:
        length = number(f"{name}: spin_diffusion_length", length, above=0, error=DeviceError, note=" in nm, or True")
        tau = (length * 1e-9) ** 2 / (diffusion * 1e-4) * 1e12
    if tau is not None:
        values["tau_so"] = (tau, "ps")
    angle = film.get("spin_hall_angle")
    if angle is True:
        angle = _known(name, data, "spin_hall_angle", "give spin_hall_angle=...").value
    if angle is not None and angle is not False:
        angle = number(f"{name}: spin_hall_angle", angle, error=DeviceError, note=", or True")
        values["theta"] = (angle, "dimensionless")
    return values


def _spin_diffusion_length(name: str, data: Mapping[str, Datum], film: Mapping[str, Any]) -> float:
    """That of the table in nm: of its product with the resistivity where both are known, else the length."""
    if "rho_spin_diffusion_length" in data and "resistivity" in film:
        return data["rho_spin_diffusion_length"].value * 1e2 / float(film["resistivity"])
    return _known(name, data, "spin_diffusion_length", "give spin_diffusion_length=... in nm").value
