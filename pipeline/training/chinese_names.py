"""Other names for people who are named in Chinese characters, made of what the names of a corpus are made of."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..corpus import AnnotatedArticle
from ..languages import Languages
from ..people import display_name, is_name_like, surname
from ..schema import REFERENCE
from ..scripts import HAN
from .layout import Edit

# With dots between its parts a name is of another people, whose names are made otherwise.
_PLAIN = re.compile(rf"[{HAN}]{{2,4}}")

#: A surname and a given name.
Name = tuple[str, str]


@dataclass(frozen=True)
class ChineseNames:
    """The surnames and the characters of given names in a corpus, as often as they are there.

    `titles` may stand behind a surname that is alone, `titles_before` before it.
    """

    surnames: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    titles: frozenset[str] = frozenset()
    titles_before: frozenset[str] = frozenset()

    def other(self, name: Name, taken: Collection[str], random_: random.Random) -> Name | None:
        """Return another name, its given name as long; None where no surname is found that is not taken."""
        for _ in range(20):
            family = random_.choice(self.surnames)
            if family not in taken:
                return family, "".join(random_.choice(self.characters) for _ in name[1])
        return None

    def swap(self, words: str, old: Name, new: Name) -> str | None:
        """Return a mention with a name exchanged: all of it, the given name, or the surname with a title or without.

        None where a part of the name stands in other words. What holds none of it stays as it is ("他").
        """
        family, given = old
        if family + given in words:
            return words.replace(family + given, "".join(new))
        if words == given:
            return new[1]
        if words.startswith(family) and words.removeprefix(family) in {"", *self.titles}:
            return new[0] + words.removeprefix(family)
        if words.endswith(family) and words.removesuffix(family) in self.titles_before:
            return words.removesuffix(family) + new[0]
        return None if family in words or given in words else words


def name_parts(name: str) -> Name | None:
    """Return the surname and the given name of a full name; None for one with a title, or in another script."""
    if not _PLAIN.fullmatch(name) or not is_name_like(name) or display_name(name) != name:
        return None
    family = surname(name)
    return family, name.removeprefix(family)


def collect_names(corpus: Iterable[AnnotatedArticle], languages: Languages) -> ChineseNames:
    """Return what the names of people in some articles are made of."""
    people = [entity.name for gold in corpus for entity in gold.entities if entity.kind == "person"]
    found = [parts for name in people if (parts := name_parts(name)) is not None]
    behind, before = languages.titles()
    characters = (character for _, given in found for character in given)
    return ChineseNames(tuple(family for family, _ in found), tuple(characters), behind, before)


def rename_people(gold: AnnotatedArticle, names: ChineseNames, random_: random.Random) -> list[Edit]:
    """Give people with a plain Chinese name another one, everywhere in the article."""
    text = gold.article.text
    known = {e.id: parts for e in gold.entities if e.kind == "person" and (parts := name_parts(e.name)) is not None}
    taken = {family for family, _ in known.values()}
    edits: list[Edit] = []
    for person, old in known.items():
        new = names.other(old, taken, random_) if names.surnames and random_.random() >= 0.2 else None
        if new is None:
            continue
        mentions = [m for m in gold.mentions if person in m.of and m.label in ("PERSON", REFERENCE)]
        replaced = [(m, names.swap(text[m.start : m.end], old, new)) for m in mentions]
        changed = [(m, words) for m, words in replaced if words != text[m.start : m.end]]
        # Of a mention of several people each would have to be exchanged in what the others left.
        if any(words is None or len(m.of) > 1 for m, words in changed):
            continue
        taken.add(new[0])
        edits.extend(Edit(m.start, m.end, words) for m, words in changed if words is not None)
    return edits
