"""Studies: what takes many solves."""

from ..branches.branch import branch as branch
from ..branches.stability import stability as stability
from ..export.fingerprint import digest as digest
from .accuracy import error_estimate as error_estimate
from .accuracy import refine as refine
from .convergence import convergence as convergence
from .critical import critical_parameter as critical_parameter
from .critical import critical_temperature as critical_temperature
from .critical import phase_diagram as phase_diagram
from .critical_current import critical_current as critical_current
from .current_phase import current_phase as current_phase
from .current_phase import josephson_energy as josephson_energy
from .ground_state import ground_state as ground_state
from .inductance import kinetic_inductance as kinetic_inductance
from .minigap import minigap as minigap
from .summary import summary as summary
from .sweep import sweep as sweep
