"""Observables: functions of a result that return a Field."""
