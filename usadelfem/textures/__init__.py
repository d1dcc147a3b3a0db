"""Magnetisations that vary in space, given as `exchange` of a material."""

from .analytic import bloch_wall as bloch_wall
from .analytic import neel_wall as neel_wall
from .analytic import skyrmion as skyrmion
from .analytic import spiral as spiral
from .ovf import from_ovf as from_ovf
