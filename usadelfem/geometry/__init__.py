"""Shapes of devices: builders of a `Geometry`, which makes meshes that fit its materials, and devices."""

from .discs import disc as disc
from .geometry import Geometry as Geometry
from .layered import junction as junction
from .layered import stack as stack
from .layered import strip as strip
from .lengths import decay_length as decay_length
