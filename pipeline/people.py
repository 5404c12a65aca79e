"""Which mentions of an article are one person or organization, by their names alone."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache, lru_cache

from .languages import load_languages
from .schema import stable_hash
from .scripts import HAN, chinese

_HAN = re.compile(f"[{HAN}]")
# A name of an ethnic minority, or a foreign one, is of parts with a dot between them.
_CHINESE_NAME = re.compile(rf"[{HAN}]+(?:[·•‧・][{HAN}]+)*")
_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)?")


def name_words(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case; a hyphenated given name counts as its parts."""
    return tuple(word.casefold() for word in _WORD.findall(name))


def same_name(longer: str, shorter: str) -> bool:
    """Tell whether `shorter` may be another way to write the person named `longer`.

    True for the same words in any case or order, for a surname or given name alone, and where one of them writes
    together what the other separates behind or before a word that they share ("Ma Hua Teng"); never for two names of
    several words that differ in one otherwise (initials count as words). Of a Chinese name the surname is one
    alone, and a courtesy title is no part of it.
    """
    full, part = name_words(longer), name_words(shorter)
    if not full or not part:
        return False
    if chinese(longer) or chinese(shorter):
        return longer == shorter or _same_chinese_name(_bare(longer), _bare(shorter))
    if sorted(full) == sorted(part):
        return True
    if len(full) > 1 < len(part) and "".join(full) == "".join(part) and (full[0] == part[0] or full[-1] == part[-1]):
        return True
    if len(part) >= len(full):
        return False
    return set(part) <= set(full)


def _same_chinese_name(longer: str, shorter: str) -> bool:
    full, part = name_words(longer), name_words(shorter)
    if len(full) == 1:
        # A given name alone looks like the full name of somebody else: 江平 is not 吴江平.
        return shorter in (longer, _family_and_given(longer)[0])
    # The part before the dot is what such a person is called.
    return bool(part) and full[: len(part)] == part


@lru_cache(maxsize=4096)
def _bare(name: str) -> str:
    """Return a Chinese name without white space and courtesy title; "" for one in another script, or a mere title."""
    if not is_chinese_name(name):
        return ""
    name = _unspaced(name)
    behind, before = _titles()
    for title in behind:
        if name.endswith(title):
            return name.removesuffix(title)
    for title in before:
        rest = name.removeprefix(title)
        if rest != name and rest and not _family_and_given(rest)[1]:
            return rest
    return name


def _family_and_given(name: str) -> tuple[str, str]:
    at = 2 if name[:2] in _compound_surnames() else 1
    return name[:at], name[at:]


@cache
def _titles() -> tuple[tuple[str, ...], tuple[str, ...]]:
    # Of all languages: a name tells its script, but not the language of the article that it is from. Longest first.
    behind, before = (sorted(titles, key=lambda title: (-len(title), title)) for titles in load_languages().titles())
    return tuple(behind), tuple(before)


@cache
def _compound_surnames() -> frozenset[str]:
    return load_languages().compound_surnames()


def is_chinese_name(name: str) -> bool:
    """Tell whether a name is written in Chinese characters throughout; in lists short ones have white space between."""
    return _CHINESE_NAME.fullmatch(_unspaced(name)) is not None


def _unspaced(name: str) -> str:
    return "".join(name.split())


def surname(name: str, surnames: Collection[str] = ()) -> str:
    """Return the surname of a name in lower case: its first word, or its last where only that is one of `surnames`.

    Of a Chinese name without dots it is the first character, or the first two where these are a compound surname.
    """
    words = name_words(_bare(name) or name)
    if not words:
        return ""
    if len(words) == 1 and is_chinese_name(words[0]):
        return _family_and_given(words[0])[0]
    return words[-1] if words[0] not in surnames and words[-1] in surnames else words[0]


def is_name_like(name: str) -> bool:
    """Tell whether a string may be a full name: of two words or more, or of more Chinese characters than a surname.

    A courtesy title doesn't count.
    """
    if is_chinese_name(name):
        bare = _bare(name)
        return len(name_words(bare)) >= 2 or bool(_family_and_given(bare)[1])
    return len(name_words(name)) >= 2 or len(_HAN.findall(name)) >= 2


def display_name(name: str) -> str:
    """Return a name as records show it: one written in capitals becomes title case, the rest stays as printed.

    A full Chinese name is shown without white space and courtesy title.
    """
    if is_name_like(bare := _bare(name)):
        return bare
    words = name.split()
    if all(word.isupper() and len(word) > 1 for word in words):
        return " ".join(word.capitalize() for word in words)
    if len(words) > 1 and words[0].isupper() and len(words[0]) > 1 and not words[1].isupper():
        return " ".join((words[0].capitalize(), *words[1:]))
    return name


def delegate_id(kind: str, name: str, body: str | None) -> str:
    """Return the id of a delegate: the same for the same name, whatever its case and word order, and body."""
    return stable_hash("delegate", kind, " ".join(sorted(name_words(name))) or name, body)


@cache
def _generic() -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(map(re.escape, sorted(load_languages().generic_words())))})*", re.IGNORECASE)


@cache
def _kinds() -> frozenset[str]:
    return load_languages().kinds()


def same_but_generic(first: str, second: str) -> bool:
    """Tell whether of two names of organizations, written without spaces, one is the other and generic words.

    "腾讯" and "腾讯公司" are one organization; a generic word or a kind of organization ("中国", "银行") is none.
    """
    if not (chinese(first) or chinese(second)):
        return False
    shorter, longer = sorted(("".join(name_words(name)) for name in (first, second)), key=len)
    if shorter in _kinds() or _generic().fullmatch(shorter):
        return False
    before, found, behind = longer.partition(shorter)
    return bool(found and _generic().fullmatch(before) and _generic().fullmatch(behind))
