"""What drives a device out of equilibrium: voltages, temperatures and spin biases of its reservoirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import number, numbers, shown
from ..device.coefficient import uniform
from ..device.contact import FLOATING, Reservoir
from ..device.device import Device
from ..errors import DeviceError
from ..fem.electrodes import Electrodes
from ..fem.problem import Problem
from ..points.panels import EDGES, Panels

Real = NDArray[np.float64]

# Names of the modes of a distribution, h = h_L + h_T t3 + h_a s_a + h_La s_a t3.
MODES = ("1", "t3", "sx", "sy", "sz", "sx t3", "sy t3", "sz t3")
PARALLEL = 1e-12


@dataclass(frozen=True)
class Bias:
    """Voltage, temperature and spin bias of a reservoir, energies; its distribution is tanh((E - V t3 - s.sigma)/2T).

    Attributes
    ----------
    voltage
        Electrochemical potential e V.
    temperature
        Temperature.
    spin_bias
        Spin accumulation, shape (3,).
    """

    voltage: float
    temperature: float
    spin_bias: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def deviation(self, energies: Real, reference: float) -> Real:
        """The modes of the distribution minus those of equilibrium at the temperature `reference`, (energies, 8)."""
        if self.temperature == reference and not any(self.spin_bias) and not self.voltage:
            return np.zeros((len(energies), 8))
        spin = np.array(self.spin_bias)[:, None]
        return local_equilibrium(energies, self.voltage, self.temperature, spin, reference).T

    @property
    def steps(self) -> Real:
        """Energies >= 0 of the steps of the distribution."""
        size = float(np.linalg.norm(self.spin_bias))
        return np.unique(np.abs([self.voltage + size, self.voltage - size]))


def local_equilibrium(
    energies: Real | float, mu: Real | float, temperature: Real | float, spin: Real, reference: float
) -> Real:  # fmt: skip
    """The modes of tanh((E - mu tau3 - s.sigma)/2T) minus those of equilibrium at the temperature `reference`.

    Shape (8, ...) for energies, mu and T that broadcast with each other, and spin vectors s (3, ...).
    """
    size = np.sqrt((spin**2).sum(axis=0))
    axis = spin / np.where(size > 0, size, 1.0)
    rest = np.tanh(energies / (2 * reference))
    out = np.zeros((8, *np.broadcast_shapes(np.shape(energies), np.shape(mu), size.shape)))
    for charge in (1, -1):
        for sign in (1, -1):
            h = 0.25 * np.tanh((energies - charge * mu - sign * size) / (2 * temperature))
            out[0] += h
            out[1] += charge * h
            out[2:5] += sign * h * axis
            out[5:] += sign * charge * h * axis
    out[0] -= rest
    return out


def deviations(biases: Iterable[Bias], energies: Real, reference: float, vectors: Real) -> Real:
    """The deviations of all reservoirs in the modes of a sector, (energies, terminals, m); `vectors` (8, m)."""
    return np.asarray(np.stack([bias.deviation(energies, reference) for bias in biases], axis=1) @ vectors)


def combined(amounts: Real, columns: NDArray[np.int64], fields: Real) -> Real:
    """The sum over columns (terminal, mode) of amounts (energies, terminals, m) times fields (energies, columns, ...).
    """
    return np.asarray(np.einsum("ec,ec...->e...", amounts[:, columns[:, 0], columns[:, 1]], fields))


def largest_energy(biases: Iterable[Bias]) -> float:
    """The largest temperature or step of some biases."""
    return max(max(float(bias.steps.max()), bias.temperature) for bias in biases)


def edges_of(biases: Iterable[Bias], reference: float) -> Real:
    """Energies between which all occupations are smooth, ascending."""
    parts = [EDGES * reference]
    for bias in biases:
        parts += [step + EDGES * bias.temperature for step in bias.steps]
    edges = np.unique(np.concatenate(parts))
    return np.asarray(edges[edges >= 0])


def read_biases(
    device: Device, electrodes: Electrodes, temperature: float
) -> tuple[dict[str, Bias], tuple[str, ...], float]:  # fmt: skip
    """The biases of all reservoirs relative to the condensates, the names of those whose voltage floats, here at 0, and
    the voltage of the condensates, which are at rest only if they have the same.

    Raises
    ------
    DeviceError
        If a bias varies in space, superconducting reservoirs differ in their voltages, or a spin bias of one of them
        is not parallel to its exchange field.
    """
    found: dict[str, Bias] = {}
    floating = []
    condensates: dict[str, float] = {}
    for name, contact in device.contacts.items():
        assert isinstance(contact, Reservoir)
        if contact.voltage is FLOATING:
            floating.append(name)
        voltage = 0.0 if name in floating else _uniform(name, "voltage", contact.voltage)
        own = temperature if contact.temperature is None else float(contact.temperature)
        found[name] = Bias(voltage, own, _spin(name, contact))
        if np.any(electrodes[name].gap):
            _check_spin(name, found[name], electrodes[name].exchange)
            if name in floating:
                raise DeviceError(
                    f"reservoir {name!r} is superconducting and its voltage floats; the voltage of a condensate is "
                    "the zero of energy: give a number, or make it a normal reservoir with gap=0"
                )
            condensates[name] = voltage
    if len(floating) == len(found) and found:
        raise DeviceError(
            "the voltages of all reservoirs float, and nothing says what they are counted from: give one of them a "
            "number"
        )
    shift = next(iter(condensates.values()), 0.0)
    if any(voltage != shift for voltage in condensates.values()):
        given = ", ".join(f"{name!r}: {voltage:g}" for name, voltage in condensates.items())
        raise DeviceError(
            f"superconducting reservoirs have different voltages ({given}): their phase difference would grow in time "
            "and there is no stationary state. Give them the same voltage and bias normal reservoirs"
        )
    moved = {
        name: bias if name in floating else replace(bias, voltage=bias.voltage - shift) for name, bias in found.items()
    }  # fmt: skip
    return moved, tuple(floating), shift


def _uniform(name: str, what: str, value: object) -> float:
    own = uniform(value)
    if own is None:
        raise DeviceError(
            f"reservoir {name!r}: {what} varies in space; out of equilibrium it is one number for all of it"
        )
    return own.real


def _spin(name: str, contact: Reservoir) -> tuple[float, float, float]:
    if callable(contact.spin_bias) or np.ndim(contact.spin_bias) != 1:
        raise DeviceError(f"reservoir {name!r}: spin_bias varies in space; out of equilibrium it is one vector for all")
    x, y, z = (float(value) for value in np.asarray(contact.spin_bias))
    return x, y, z


def _check_spin(name: str, bias: Bias, exchange: Real) -> None:
    spin = np.array(bias.spin_bias)
    across = np.cross(exchange.T, spin)
    if abs(across).max(initial=0.0) > PARALLEL * np.linalg.norm(spin) * max(abs(exchange).max(initial=0.0), 1e-300):
        raise DeviceError(
            f"reservoir {name!r} is superconducting and its spin_bias {bias.spin_bias} is not parallel to its exchange "
            "field, about which such spins precess: turn one of them, or make the reservoir normal with gap=0"
        )


def product_weights(panels: Panels, biases: Mapping[str, Bias], reference: float, vectors: Real, power: int) -> Real:
    """Weights of every energy for the deviation of every reservoir in every mode of the sector, times a power of E.

    Shape (energies, terminals, m), for `vectors` (8, m) as `mode_vectors`.
    """
    count, m = len(biases), vectors.shape[1]

    def weighting(energies: Real) -> Real:
        own = deviations(biases.values(), energies, reference, vectors)
        return np.asarray(own * energies[:, None, None] ** power).reshape(len(energies), -1)

    weights = panels.weights(weighting, edges_of(biases.values(), reference))
    return _of_energies(panels, weights).reshape(-1, count, m)


def plain_weights(panels: Panels) -> Real:
    """Weights of an integral over energy, shape (energies,)."""
    return _of_energies(panels, panels.weights(lambda energies: np.ones((len(energies), 1)), np.empty(0)))[:, 0]


def _of_energies(panels: Panels, weights: Real) -> Real:
    """Weights (panels, points, functions) by energy, (energies, functions)."""
    if len(panels.points) > 2:
        return weights.reshape(-1, weights.shape[2])
    total = np.zeros((len(panels.ends) + 1, weights.shape[2]))  # neighbours share their ends
    np.add.at(total, np.arange(len(panels.ends))[:, None] + np.arange(2), weights)
    return total


def wanted_columns(problem: Problem, biases: Mapping[str, Bias]) -> NDArray[np.int64]:
    """Energy and charge of every reservoir, and the spins of those with a spin bias; (columns, 2)."""
    m = 2 * problem.sector.entries
    wanted = []
    for number_, bias in enumerate(biases.values()):
        modes = range(m) if any(bias.spin_bias) else (0, m // 2)
        wanted += [(number_, mode) for mode in modes]
    return np.array(wanted, np.int64)


def read_changes(biases: Mapping[str, Any] | None, voltages: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What changes at each contact, for `rebiased`; TypeError if that is no mapping."""
    if biases is not None and not isinstance(biases, Mapping):
        raise TypeError(
            f"biases is {shown(biases)}; allowed is a mapping from contacts to voltages or to mappings of voltage, "
            "temperature and spin_bias"
        )
    given = {**(biases or {}), **voltages}
    return {name: new if isinstance(new, Mapping) else {"voltage": new} for name, new in given.items()}


def rebiased(
    biases: Mapping[str, Bias], floating: tuple[str, ...], changes: Mapping[str, Mapping[str, Any]], device: Device,
    electrodes: Electrodes, condensate: float,
) -> tuple[dict[str, Bias], tuple[str, ...]]:  # fmt: skip
    """Biases with changes, and the names of those that float; ValueError if one cannot be changed like that."""
    own, floats = dict(biases), set(floating)
    for name, change in changes.items():
        if name not in own:
            raise ValueError(f"no reservoir {shown(name)}; there are: {', '.join(own)}")
        own[name], free = _changed(name, own[name], change, condensate)
        if "voltage" in change:
            floats = floats | {name} if free else floats - {name}
        _check_reservoir(device, electrodes, name, change, own[name], free, condensate)
    return own, tuple(name for name in own if name in floats)


def _changed(name: str, bias: Bias, change: Mapping[str, Any], condensate: float) -> tuple[Bias, bool]:
    """A bias with what changes, and whether its voltage floats, then starting from what it was."""
    unknown = set(change) - {"voltage", "temperature", "spin_bias"}
    if unknown:
        raise ValueError(f"reservoir {name!r}: no {shown(unknown.pop())}; it has voltage, temperature and spin_bias")
    voltage, temperature, spin = bias.voltage, bias.temperature, bias.spin_bias
    floats = change.get("voltage") is FLOATING
    if "voltage" in change and not floats:
        voltage = number(f"voltage of {name!r}", change["voltage"]) - condensate
    if "temperature" in change:
        temperature = number(f"temperature of {name!r}", change["temperature"], above=0)
    if "spin_bias" in change:
        given = numbers(f"spin_bias of {name!r}", change["spin_bias"], "are three finite numbers")
        if given.shape != (3,):
            raise ValueError(f"spin_bias of {name!r} has shape {given.shape}; allowed are three numbers")
        spin = (float(given[0]), float(given[1]), float(given[2]))
    return Bias(voltage, temperature, spin), floats


def _check_reservoir(
    device: Device, electrodes: Electrodes, name: str, change: Mapping[str, Any], bias: Bias, floats: bool,
    condensate: float,
) -> None:  # fmt: skip
    """ValueError if a change of a bias would change a superconducting reservoir itself."""
    if np.any(electrodes[name].gap) and (floats or bias.voltage):
        raise ValueError(
            f"reservoir {name!r} is superconducting, at the voltage {condensate:g} of all condensates; change the "
            "voltages of the normal reservoirs instead"
        )
    contact = device.contacts[name]
    if "temperature" in change and isinstance(contact, Reservoir) and contact.gap is None:
        raise ValueError(
            f"the gap of reservoir {name!r} is the bulk gap at its temperature: solve again with the other one, or "
            "give the reservoir a gap=..."
        )


def check_held(biases: Mapping[str, Bias], vectors: Real) -> None:
    """ValueError if a spin bias has components that a spin sector with these axes, (3, m), does not hold."""
    for name, bias in biases.items():
        spin = np.array(bias.spin_bias)
        if np.linalg.norm(spin - vectors @ (vectors.T @ spin)) > PARALLEL * np.linalg.norm(spin):
            raise ValueError(
                f"reservoir {name!r}: the spin bias {bias.spin_bias} needs spin components that were not solved "
                "for; solve with it, or with sector='full'"
            )
