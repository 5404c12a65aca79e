"""One module a target: each writes all of a `Source`, or raises `ExportError` and leaves what was there."""

from __future__ import annotations
