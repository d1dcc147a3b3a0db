"""The version of the package, which `pyproject.toml` reads here; `CITATION.cff` and the recipe repeat it."""

__version__ = "0.1.0"
"""Version of the package."""
