"""How formulas and kernels are compiled and kept."""
