"""Sphinx configuration: `make docs` builds the site into docs/_build/html."""

from __future__ import annotations

import logging
import os
import re
import tomllib
from importlib import metadata
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
import pyvista

import usadelfem as uf

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = PROJECT["name"]
author = PROJECT["authors"][0]["name"]
release = version = metadata.version(project)
copyright = author

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # MathJax from this site, not from a server
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/*.ipynb", "gallery/*.py", "gallery/*.py.md5", "gallery/*.json"]
default_role = "py:obj"
suppress_warnings = ["config.cache"]  # the gallery is configured with functions, which Sphinx cannot store

mathjax_path = "mathjax/tex-chtml.js"
math_eqref_format = "({number})"

html_theme = "furo"
html_title = f"usadelfem {release}"
html_show_sphinx = False
html_show_copyright = False

myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_type_aliases = {name: name for name in ("ArrayLike", "Coefficient", "Into", "Facets", "Initial")}
autodoc_type_aliases |= {"Complex": "NDArray", "Size": "Size", "Values": "NDArray"}
napoleon_google_docstring = False
napoleon_attr_annotations = False
napoleon_custom_sections = [("Attributes", "params_style")]
napoleon_use_rtype = False

logging.getLogger("skfem").setLevel(logging.WARNING)  # Sphinx shows what others log
pyvista.BUILDING_GALLERY = True
pyvista.OFF_SCREEN = True
pyvista.vtk_verbosity("error")  # without a screen VTK warns, and goes on without
close = pyvista.Plotter.close


def close_with_picture(plotter):
    """Keep the last picture of a plotter that an example closes, for the gallery."""
    if plotter.last_image is None and plotter.render_window is not None:
        plotter.last_image = plotter.screenshot(return_img=True)
    close(plotter)


pyvista.Plotter.close = close_with_picture


def run_in_root(function):
    """Run a piece of an example in the root of the project, as a reader does; sphinx-gallery's memory hook."""
    os.chdir(ROOT)
    return 0.0, function()


def as_new(gallery, script):
    """Natural units, one worker and no bars before each example; sphinx-gallery's hook between examples."""
    uf.natural()
    uf.options(workers=1, progress=False)


def arguments(gallery, script):
    """Examples run without arguments, but know their `__file__`; sphinx-gallery's hook for `sys.argv`."""
    script["example_globals"]["__file__"] = script["src_file"]
    return []


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "image_scrapers": ("matplotlib", "pyvista"),
    "abort_on_example_error": True,
    "show_memory": run_in_root,
    "reset_modules": ("matplotlib", as_new),
    "reset_argv": arguments,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "remove_config_comments": True,
    "download_all_examples": False,
    "nested_sections": False,
    "show_signature": False,
}


def plain(text: str) -> str:
    """Escape the characters of formulas, |gap|^2 and (*components, dim), that reStructuredText would act on."""
    pieces = re.split(r"(`+[^`]*`+)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([*|])", r"\\\1", piece) for piece in pieces)


SECTIONS = {
    "the current": "current", "the free energy": "free-energy", "the kinetic equation": "kinetic-equation",
    "the linearised equation": "linearised", "the normal state": "normal-state", "observables": "observables",
    "screening": "free-energy", "spin-charge coupling": "current", "symmetries": "symmetries",
    "the spin balance": "spin-balance", "the spinor frame": "spinor-frame", "interfaces": "interfaces",
}  # fmt: skip


EQUATIONS = {
    "current": "spin-charge-current-and-torque-3", "free-energy": "theory-free-energy-and-gap-2",
    "kinetic-equation": "theory-out-of-equilibrium-2", "normal-state": "spin-charge-the-normal-state-1",
    "observables": "theory-observables-1", "symmetries": "theory-symmetries-1",
    "spin-balance": "spin-charge-spin-balance-1", "spinor-frame": "theory-riccati-matrices-1",
}  # fmt: skip


def link(name: str) -> str:
    """A section of the theory, and the number of its main equation."""
    place = SECTIONS[name]
    equation = f", Eq. :eq:`eq-{EQUATIONS[place]}`" if place in EQUATIONS else ""
    return f":ref:`section on {name} <theory-{place}>`{equation}"


def linked(text: str) -> str:
    """Link what docstrings call a section of the theory."""
    names = "|".join(name.replace(" ", r"\s+") for name in SECTIONS)
    return re.sub(rf"section\s+on\s+({names})", lambda match: link(" ".join(match[1].split())), text)


def prepare_docstring(app, what, name, obj, options, lines):
    """Docstrings are written for reading in a terminal; make them reStructuredText."""
    if what in ("attribute", "property"):  # napoleon takes what stands before a colon for a type
        lines[0] = lines[0].replace(": ", " \N{EN DASH} ")
    lines[:] = linked(plain("\n".join(lines))).split("\n")


def prepare_signature(app, what, name, obj, options, signature, result):
    """Show the bare names of type aliases."""
    return tuple(text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text) for text in (signature, result))


def prepare_source(app, name, source):
    """Remove the memory that `run_in_root` does not measure."""
    source[0] = re.sub(r"\*\*Estimated memory usage:\*\* +0 MB\n", "", source[0])


def setup(app):
    """Prepare docstrings before napoleon sees them."""
    app.connect("autodoc-process-docstring", prepare_docstring, priority=400)
    app.connect("autodoc-process-signature", prepare_signature)
    app.connect("source-read", prepare_source)
