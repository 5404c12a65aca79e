"""What `configs/languages.toml` says of each language, and which language a text is in."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .resources import resource

# A text is in a script's language where at least this share of its letters is of the script.
_SCRIPT_SHARE = 0.3


@dataclass(frozen=True)
class Languages:
    """The known languages, by code."""

    table: dict[str, dict[str, Any]]

    def model(self, lang: str | None) -> str | None:
        """Return the model folder's name for a language, or None where there is none."""
        return (self.table.get(lang or "") or {}).get("model") or None

    def name(self, lang: str | None) -> str:
        """Return the language's name for people, or its code."""
        return str(self.table.get(lang or "", {}).get("name", lang))

    def detect(self, text: str) -> str | None:
        """Return the language code of a text: by script where the config names one, else by its letter statistics."""
        sample = text[:20000]
        letters = sum(1 for char in sample if char.isalpha())
        if not letters:
            return None
        for code, entry in self.table.items():
            script = entry.get("scripts")
            if script and len(re.findall(script, sample)) >= _SCRIPT_SHARE * letters:
                return code
        import py3langid

        return str(py3langid.classify(sample)[0])

    def generic_words(self) -> frozenset[str]:
        """Return the words, of all languages, that say nothing about which organization a name is of."""
        return frozenset(word for entry in self.table.values() for word in entry.get("generic", ()))

    def written_date(self, text: str, lang: str | None) -> re.Match[str] | None:
        """Return the first written-out date of a text; its group `year` is the year."""
        pattern = self.table.get(lang or "", {}).get("written_date")
        return re.search(pattern, text) if pattern else None


def load_languages(path: Path | None = None) -> Languages:
    """Return the languages of a config file, by default the shipped one."""
    data = (path or resource("configs", "languages.toml")).read_text(encoding="utf-8")
    return Languages(tomllib.loads(data))
