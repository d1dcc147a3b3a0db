"""What regions and facet sets may be called: any text that every file of results can hold."""

from __future__ import annotations

import unicodedata
from typing import Any

from ..errors import DeviceError

LONGEST = 1000


def check_set_names(mesh: Any) -> None:
    """Refuse names of regions and facet sets that no file gives back.

    Raises
    ------
    DeviceError
        If a name is no text, is empty, longer than 1000 characters, or holds control characters or lone surrogates.
    """
    for kind, sets in (("region", mesh.subdomains), ("facet set", mesh.boundaries)):
        for name in sets or {}:
            if not isinstance(name, str) or not 0 < len(name) <= LONGEST or any(map(_is_unprintable, name)):
                raise DeviceError(
                    f"a {kind} of the mesh is named {name!r:.80}; allowed are texts of 1 to {LONGEST} characters "
                    "without line breaks and other control characters"
                )


def _is_unprintable(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in "\ufffe\uffff"


def decode_name(data: bytes) -> str:
    """A name in a file: UTF-8, or as older programs wrote it, Windows-1252 or Latin-1."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
