"""Materials and what they are made of."""

from .device.interface import Interface as Interface
from .device.material import Material as Material
from .device.material import Relaxation as Relaxation
from .device.material import ferromagnet as ferromagnet
from .device.material import normal_metal as normal_metal
from .device.material import superconductor as superconductor
from .device.material import vacuum as vacuum
from .physics.impurity import ImpurityScattering as ImpurityScattering
from .physics.impurity import impurity_scattering as impurity_scattering
from .solve.bulk import bcs_gap as bcs_gap
