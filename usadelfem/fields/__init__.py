"""Quantities on a device: their values, units, sums and products, pictures and tables."""
