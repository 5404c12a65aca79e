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
        return self._of_all("generic")

    def kinds(self) -> frozenset[str]:
        """Return the kinds of organizations, of all languages written without spaces: alone none of them is a name."""
        return self._of_all("kinds")

    def titles(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the courtesy titles, of all languages, that stand behind a name, and those before a surname."""
        return self._of_all("titles"), self._of_all("titles_before")

    def compound_surnames(self) -> frozenset[str]:
        """Return the surnames of several characters, of all languages whose surnames are one as a rule."""
        return self._of_all("compound_surnames")

    def organization_first(self, lang: str | None) -> bool:
        """Tell whether a language puts a post behind the organization that it is at."""
        return bool(self.table.get(lang or "", {}).get("organization_first"))

    def written_date(self, text: str, lang: str | None) -> re.Match[str] | None:
        """Return the first written-out date of a text; its group `year` is the year."""
        pattern = self.table.get(lang or "", {}).get("written_date")
        return re.search(pattern, text) if pattern else None

    def _of_all(self, key: str) -> frozenset[str]:
        return frozenset(word for entry in self.table.values() for word in entry.get(key, ()))


def load_languages(path: Path | None = None) -> Languages:
    """Return the languages of a config file, by default the shipped one."""
    data = (path or resource("configs", "languages.toml")).read_text(encoding="utf-8")
    return Languages(tomllib.loads(data))
