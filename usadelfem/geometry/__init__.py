"""Shapes of devices: builders of a `Geometry`, which makes meshes that fit its materials, and devices."""

from .bars import cross as cross
from .bars import hall_bar as hall_bar
from .bars import spin_valve as spin_valve
from .bars import squid as squid
from .bridges import island as island
from .bridges import nanobridge as nanobridge
from .discs import disc as disc
from .discs import ring as ring
from .geometry import Geometry as Geometry
from .layered import junction as junction
from .layered import stack as stack
from .layered import strip as strip
from .lengths import decay_length as decay_length
from .terminals import multi_terminal as multi_terminal
