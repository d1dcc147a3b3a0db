"""Derivatives of solutions: directions in the space of parameters, the linearised equation, tangents."""
