"""Finite elements for the (generalised) Usadel equation of diffusive superconducting hybrids.

geometry -> device -> fem (discretisation) -> solve -> result -> observe -> export
"""

from .device.contact import CurrentContact as CurrentContact
from .device.contact import NormalContact as NormalContact
from .device.contact import Reservoir as Reservoir
from .device.device import Device as Device
from .device.interface import Nazarov as Nazarov
from .device.interface import SpinActive as SpinActive
from .device.interface import Transparent as Transparent
from .device.interface import Tunnel as Tunnel
from .device.layers import box as box
from .device.layers import interval as interval
from .device.layers import rectangle as rectangle
from .device.material import Material as Material
from .device.material import ferromagnet as ferromagnet
from .device.material import normal_metal as normal_metal
from .device.material import superconductor as superconductor
from .device.material import vacuum as vacuum
from .device.mesh import read_mesh as read_mesh
from .device.ovf import texture_from_ovf as texture_from_ovf
from .device.textures import bloch_wall as bloch_wall
from .device.textures import neel_wall as neel_wall
from .device.textures import skyrmion as skyrmion
from .device.textures import spiral as spiral
from .errors import DeviceError as DeviceError
from .errors import MeshError as MeshError
from .errors import ObservableError as ObservableError
from .export.store import load as load
from .export.store import save as save
from .export.sweep import SweepResult as SweepResult
from .export.sweep import sweep as sweep
from .export.vtk import write_vtk as write_vtk
from .observe.currents import charge_current as charge_current
from .observe.currents import matrix_current as matrix_current
from .observe.currents import spin_current as spin_current
from .observe.diffusive import potential as potential
from .observe.diffusive import spin_accumulation as spin_accumulation
from .observe.energy import free_energy as free_energy
from .observe.energy import free_energy_density as free_energy_density
from .observe.fields import Field as Field
from .observe.fields import series as series
from .observe.ground_state import ground_state as ground_state
from .observe.magnetic import hole_fluxes as hole_fluxes
from .observe.magnetic import magnetic_field as magnetic_field
from .observe.magnetic import magnetisation as magnetisation
from .observe.magnetism import spin_density as spin_density
from .observe.pairing import gap as gap
from .observe.pairing import pair_amplitude as pair_amplitude
from .observe.spectra import density_of_states as density_of_states
from .observe.spectra import minigap as minigap
from .observe.torques import spin_orbit_torque as spin_orbit_torque
from .observe.torques import spin_torque as spin_torque
from .observe.torques import torque_trace as torque_trace
from .physics.basis import change_basis as change_basis
from .physics.impurity import ImpurityScattering as ImpurityScattering
from .physics.impurity import impurity_scattering as impurity_scattering
from .physics.thermal import bcs_gap as bcs_gap
from .solve.equilibrium import solve_equilibrium as solve_equilibrium
from .solve.initial import vortices as vortices
from .solve.normal import normal_resistance as normal_resistance
from .solve.normal_state import NormalState as NormalState
from .solve.normal_state import solve_normal_state as solve_normal_state
from .solve.solution import Equilibrium as Equilibrium
from .solve.solution import Spectrum as Spectrum
from .solve.spectrum import solve_spectrum as solve_spectrum
from .solve.stability import critical_parameter as critical_parameter
from .solve.stability import critical_temperature as critical_temperature
from .solve.stability import phase_diagram as phase_diagram
from .solve.stability import stability as stability
from .solve.status import Report as Report
from .solve.status import SolveError as SolveError
from .solve.status import Sweep as Sweep

__version__ = "0.1.0"
