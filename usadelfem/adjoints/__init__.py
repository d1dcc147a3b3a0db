"""Gradients of numbers made of observables with respect to everything that a device is made of."""
