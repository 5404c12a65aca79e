"""Which mentions of an article are one person or organization, by their names alone."""

from __future__ import annotations

import re
from collections.abc import Collection

from .schema import stable_hash

_CJK = re.compile(r"[㐀-鿿]")
_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)?")


def name_words(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case; a hyphenated given name counts as its parts."""
    return tuple(word.casefold() for word in _WORD.findall(name))


def same_name(longer: str, shorter: str) -> bool:
    """Tell whether `shorter` may be another way to write the person named `longer`.

    True for the same words in any case or order, for a surname or given name alone, and where one of them writes
    together what the other separates behind or before a word that they share ("Ma Hua Teng"); never for two names of
    several words that differ in one otherwise (initials count as words), nor for Chinese names that are not the same.
    """
    full, part = name_words(longer), name_words(shorter)
    if not full or not part:
        return False
    if _CJK.search(longer) or _CJK.search(shorter):
        return longer == shorter
    if sorted(full) == sorted(part):
        return True
    if len(full) > 1 < len(part) and "".join(full) == "".join(part) and (full[0] == part[0] or full[-1] == part[-1]):
        return True
    if len(part) >= len(full):
        return False
    return set(part) <= set(full)


def surname(name: str, surnames: Collection[str] = ()) -> str:
    """Return the surname of a name in lower case: its first word, or its last where only that is one of `surnames`."""
    words = name_words(name)
    if not words:
        return ""
    return words[-1] if words[0] not in surnames and words[-1] in surnames else words[0]


def is_name_like(name: str) -> bool:
    """Tell whether a string may be a full name: two words or more, or two Chinese characters or more."""
    return len(name_words(name)) >= 2 or len(_CJK.findall(name)) >= 2


def display_name(name: str) -> str:
    """Return a name as records show it: one written in capitals becomes title case, the rest stays as printed."""
    words = name.split()
    if all(word.isupper() and len(word) > 1 for word in words):
        return " ".join(word.capitalize() for word in words)
    if len(words) > 1 and words[0].isupper() and len(words[0]) > 1 and not words[1].isupper():
        return " ".join((words[0].capitalize(), *words[1:]))
    return name


def delegate_id(kind: str, name: str, body: str | None) -> str:
    """Return the id of a delegate: the same for the same name, whatever its case and word order, and body."""
    return stable_hash("delegate", kind, " ".join(sorted(name_words(name))) or name, body)
