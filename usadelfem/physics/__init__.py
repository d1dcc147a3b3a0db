"""Formulas at a point: arrays or small matrices in, arrays or small matrices out; no mesh, no iteration."""
