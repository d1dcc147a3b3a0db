"""Scripts whose workers would start their own workers: spawned processes import the script that started them."""

from __future__ import annotations

import ast
import multiprocessing
import os
import sys
from collections.abc import Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from ..errors import WorkerLostError

# With this code a worker ends that has come to a calculation while it imports the script.
IMPORTING = 113


def check_script(executor: Executor, label: str) -> None:
    """Refuse a calculation on new worker processes at the top level of a script, which they would start again.

    Raises
    ------
    WorkerLostError
        If workers are going to import the script, and nothing in it stands under `if __name__ == "__main__":`.
        A worker that gets here all the same, while it imports the script, ends.
    """
    if not isinstance(executor, ProcessPoolExecutor):
        return
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.stdout.flush()
        os._exit(IMPORTING)  # without the traceback that multiprocessing would print in every worker
    own: dict[str, Any] = vars(executor)
    context = own.get("_mp_context")
    if own.get("_processes") or context is None or context.get_start_method() == "fork":
        return
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    line = _top_level_line()
    if script is not None and line is not None and not _is_guarded(Path(script), line):
        raise WorkerLostError(_message(label, f"{script}, line {line}"))


def check_ends(workers: Mapping[Any, Any], label: str) -> None:
    """WorkerLostError if a worker has ended because it imported the script that starts the calculation."""
    if any(worker.exitcode == IMPORTING for worker in workers.values()):
        script = getattr(sys.modules.get("__main__"), "__file__", "the script")
        raise WorkerLostError(_message(label, script)) from None


def _message(label: str, place: str) -> str:
    return (
        f"{label}: worker processes import the script ({place}) and would start the calculation again in each of them: "
        'put what it does, all but imports and functions, under `if __name__ == "__main__":`'
    )


def _top_level_line() -> int | None:
    """The line of the script's top level that has led here; None in a console or a notebook, which is not imported."""
    frame, main = sys._getframe(1), vars(sys.modules["__main__"])
    while frame is not None:
        if frame.f_globals is main and frame.f_code.co_name == "<module>":
            return frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return None


def _is_guarded(script: Path, line: int) -> bool:
    """Whether a line stands under a condition, or the script may end before it; where that is not clear, yes."""
    try:
        tree = ast.parse(script.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return True
    for statement in tree.body:
        if isinstance(statement, ast.If | ast.Match | ast.FunctionDef | ast.ClassDef):
            asks = any(map(_is_about_process, ast.walk(statement)))
            if asks and statement.lineno <= line:
                return True
    return False


def _is_about_process(node: ast.AST) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in ("__name__", "current_process")
