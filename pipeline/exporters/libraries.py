"""The libraries of the extra `export`, imported when a target needs them."""

from __future__ import annotations

import importlib
from typing import Any

from .source import ExportError


def library(name: str, target: str) -> Any:
    """Return a module; raise `ExportError` that says how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise ExportError(
            f"--to {target} needs {package}, which is not installed: pip install 'two-sessions[export]'"
        ) from None
