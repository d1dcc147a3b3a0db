"""Meshes: read from files, made of layers, and checked to be connected."""
