"""What solves, studies and observables return."""

from .diagnostics.check import DeviceCheck as DeviceCheck
from .export.grid import SweepResult as SweepResult
from .nonequilibrium.conductance import Conductance as Conductance
from .nonequilibrium.result import Nonequilibrium as Nonequilibrium
from .numerics.report import Iteration as Iteration
from .numerics.report import Report as Report
from .observe.fields import Field as Field
from .observe.fields import Series as Series
from .observe.vorticity import Vorticity as Vorticity
from .physics.spinor_basis import change_basis as change_basis
from .solve.normal_state import NormalState as NormalState
from .solve.results import Equilibrium as Equilibrium
from .solve.results import Spectrum as Spectrum
from .study.critical_current import CriticalCurrent as CriticalCurrent
from .study.phase_relation import CurrentPhase as CurrentPhase
from .study.phase_relation import JosephsonEnergy as JosephsonEnergy
