"""Formulas without machine code of their own, which nothing would call: a part of the time of a first compilation.

A formula is built into the kernels that call it. Numba makes machine code of it all the same, and of the kernel once
more. Here it stops at the optimised intermediate code, which is what kernels are linked with. This uses parts of Numba
that are not public: where they are not what they were, formulas are compiled as usual (`LINKED` is empty).
"""

from __future__ import annotations

from itertools import count
from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

NEEDED = (
    "_finalize_dynamic_globals", "_verify_declare_only_symbols", "_finalize_final_module", "_optimize_final_module",
    "get_pointer_to_function", "codegen",
)  # fmt: skip
_numbers = count()


class _WithoutEnvironments:
    """What a formula needs of a code generator once it is compiled: nothing, it never raises or makes objects."""

    def set_env(self, name: str, environment: Any) -> None:
        """Take no note of the environment."""


class _LinkedOnly(JITCodeLibrary):
    """Intermediate code for other libraries, which is not handed to the engine."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()  # type: ignore[no-untyped-call]
        self._verify_declare_only_symbols()  # type: ignore[no-untyped-call]
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """There is no machine code."""
        return 0

    @property
    def codegen(self) -> _WithoutEnvironments:
        return _WithoutEnvironments()


class _FormulaCompiler(Compiler):
    """The compiler of formulas: into a library that is only linked."""

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, args: Any, *rest: Any) -> None:
        own: Any = library
        if own is None:
            own = _LinkedOnly(targetctx.codegen(), f"formula{next(_numbers)}")  # type: ignore[no-untyped-call]
        super().__init__(typingctx, targetctx, own, args, *rest)  # type: ignore[no-untyped-call]


LINKED: dict[str, Any] = (
    {"pipeline_class": _FormulaCompiler} if all(hasattr(JITCodeLibrary, name) for name in NEEDED) else {}
)
