"""Observables: functions of a result that return a Field, or a number."""

from .currents import charge_current as charge_current
from .currents import matrix_current as matrix_current
from .currents import spin_current as spin_current
from .densities import distribution as distribution
from .densities import local_temperature as local_temperature
from .densities import occupation as occupation
from .densities import tunnel_probe as tunnel_probe
from .density_of_states import density_of_states as density_of_states
from .free_energy import free_energy as free_energy
from .free_energy import free_energy_density as free_energy_density
from .kinetic_currents import charge_source as charge_source
from .kinetic_currents import energy_current as energy_current
from .kinetic_currents import heat_current as heat_current
from .magnetic_field import hole_fluxes as hole_fluxes
from .magnetic_field import magnetic_field as magnetic_field
from .magnetic_field import magnetisation as magnetisation
from .normal_state import potential as potential
from .normal_state import spin_accumulation as spin_accumulation
from .pair_amplitude import gap as gap
from .pair_amplitude import pair_amplitude as pair_amplitude
from .series import series as series
from .spin_density import spin_density as spin_density
from .torques import spin_orbit_torque as spin_orbit_torque
from .torques import spin_torque as spin_torque
from .torques import torque_trace as torque_trace
from .vorticity import vorticity as vorticity
