"""Finite elements for the (generalised) Usadel equation of diffusive superconducting hybrids.

mesh -> device -> geometry -> space -> fem -> solve -> nonequilibrium -> derivatives -> observe -> adjoints -> branches
-> export -> study

What a script needs every day is here; what it needs now and then is in `usadelfem.geometry`, `textures`, `materials`,
`results`, `errors`, `observe` and `study`.
"""

from . import errors, geometry, materials, observe, results, study, textures
from .adjoints.sensitivity import sensitivity
from .branches.branch import branch
from .branches.stability import stability
from .derivatives.derivative import derivative
from .device.contact import FLOATING, CurrentContact, NormalContact, Reservoir
from .device.device import Device
from .device.interface import Nazarov, SpinActive, Transparent, Tunnel
from .device.laboratory import lab, natural
from .device.material import Relaxation, ferromagnet, normal_metal, superconductor
from .diagnostics.check import check
from .export.store import load, save
from .export.vtk import write_vtk
from .mesh.gmsh_model import from_gmsh
from .mesh.layers import box, interval, rectangle
from .mesh.read import read_mesh
from .metals.table import metals
from .nonequilibrium.conductance import conductance_matrix
from .nonequilibrium.solve import solve_nonequilibrium
from .observe.currents import charge_current, spin_current
from .observe.densities import distribution, local_temperature, occupation, tunnel_probe
from .observe.density_of_states import density_of_states
from .observe.free_energy import free_energy
from .observe.kinetic_currents import charge_source, energy_current, heat_current
from .observe.magnetic_field import magnetic_field, magnetisation
from .observe.normal_state import potential, spin_accumulation
from .observe.pair_amplitude import gap, pair_amplitude
from .observe.sheet import sheet_magnetisation
from .observe.spin_density import spin_density
from .observe.torques import spin_orbit_torque, spin_torque
from .observe.vorticity import vorticity
from .solve.equilibrium import solve_equilibrium
from .solve.field_guess import vortices
from .solve.normal_state import solve_normal_state
from .solve.options import options
from .solve.resistance import normal_resistance
from .solve.spectrum import solve_spectrum
from .study.accuracy import error_estimate, refine
from .study.convergence import convergence
from .study.critical import critical_temperature
from .study.critical_current import critical_current
from .study.current_phase import current_phase, josephson_energy
from .study.fit import fit
from .study.ground_state import ground_state
from .study.inductance import kinetic_inductance
from .study.minigap import minigap
from .study.sweep import sweep
from .version import __version__ as __version__

__all__ = (
    "FLOATING",
    "CurrentContact",
    "Device",
    "Nazarov",
    "NormalContact",
    "Relaxation",
    "Reservoir",
    "SpinActive",
    "Transparent",
    "Tunnel",
    "box",
    "branch",
    "charge_current",
    "charge_source",
    "check",
    "conductance_matrix",
    "convergence",
    "critical_current",
    "critical_temperature",
    "current_phase",
    "density_of_states",
    "derivative",
    "distribution",
    "energy_current",
    "error_estimate",
    "errors",
    "ferromagnet",
    "fit",
    "free_energy",
    "from_gmsh",
    "gap",
    "geometry",
    "ground_state",
    "heat_current",
    "interval",
    "josephson_energy",
    "kinetic_inductance",
    "lab",
    "load",
    "local_temperature",
    "magnetic_field",
    "magnetisation",
    "materials",
    "metals",
    "minigap",
    "natural",
    "normal_metal",
    "normal_resistance",
    "observe",
    "occupation",
    "options",
    "pair_amplitude",
    "potential",
    "read_mesh",
    "rectangle",
    "refine",
    "results",
    "save",
    "sensitivity",
    "sheet_magnetisation",
    "solve_equilibrium",
    "solve_nonequilibrium",
    "solve_normal_state",
    "solve_spectrum",
    "spin_accumulation",
    "spin_current",
    "spin_density",
    "spin_orbit_torque",
    "spin_torque",
    "stability",
    "study",
    "superconductor",
    "sweep",
    "textures",
    "tunnel_probe",
    "vortices",
    "vorticity",
    "write_vtk",
)


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> object:
    """Say where a name is that is not here."""
    for space in (geometry, textures, materials, results, errors, observe, study):
        if name in vars(space):
            raise AttributeError(f"usadelfem has no {name!r} here: it is {space.__name__}.{name}", name=name)
    raise AttributeError(f"module 'usadelfem' has no attribute {name!r}", name=name)
