"""Magnetic fields: applied ones, those of currents, and the fluxes through holes."""
