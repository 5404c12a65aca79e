"""One delegate, one proposal, over many articles: decisions alone; nothing is stored here."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache

from .languages import load_languages
from .people import delegate_id, name_words, same_but_generic
from .schema import Article, Delegate, stable_hash
from .scripts import HAN, WORD, chinese

_HAN_RUN = re.compile(f"[{HAN}]+")
_WORD = re.compile(rf"[^\W_{HAN}]+")
_NATIONAL = ("NPC", "CPPCC")
# A text with a larger share of another's words, in their order, is a version of it (0: nothing, 1: the same).
_VERSION = 0.6


@dataclass(frozen=True)
class KnownDelegate:
    """A delegate that the store holds, with what tells namesakes apart."""

    id: str
    kind: str
    name: str
    name_zh: str | None = None
    bodies: frozenset[tuple[str, int | None]] = frozenset()
    organizations: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Resolution:
    """The id to store a delegate under, and whether it is a new one."""

    id: str
    new: bool
    candidates: tuple[str, ...] = field(default=())


@cache
def _generic_words() -> frozenset[str]:
    # Of all languages: the two names may come from articles in different ones.
    return load_languages().generic_words()


def same_organization(first: str, second: str) -> bool:
    """Tell whether two names may be of one organization: all distinctive words of the shorter are in the longer.

    Where no spaces show the words, nothing but generic ones may be left over.
    """
    words = [set(name_words(name)) - _generic_words() for name in (first, second)]
    smaller, larger = sorted(words, key=len)
    return (bool(smaller) and smaller <= larger) or same_but_generic(first, second)


def same_delegate(known: KnownDelegate, new: Delegate, session_year: int | None) -> bool:
    """Tell whether a delegate of an article is one that is known already.

    The names must agree, or the Chinese ones where one of the two has no other, and nothing may speak against it:
    different Chinese names, the two national bodies in one year (nobody sits in both; a local seat goes with either),
    or posts at organizations of which none agrees, unless none can be compared for their scripts. A namesake is kept
    apart rather than merged.
    """
    if known.kind != new.kind or not _names_agree(known, new):
        return False
    if known.name_zh and new.name_zh:
        return known.name_zh == new.name_zh
    if known.kind == "organization":
        return True
    if new.body in _NATIONAL and any(
        year == session_year and body != new.body for body, year in known.bodies if body in _NATIONAL
    ):
        return False
    organizations = {role.organization for role in new.roles if role.organization}
    pairs = [(a, b) for a in known.organizations for b in organizations]
    # "Tencent" and "腾讯" can't be compared.
    return any(same_organization(a, b) for a, b in pairs) or all(chinese(a) != chinese(b) for a, b in pairs)


def _names_agree(known: KnownDelegate, new: Delegate) -> bool:
    ours, theirs = known.name, new.name
    if chinese(ours) != chinese(theirs):
        ours, theirs = (one.name_zh or one.name for one in (known, new))
    return sorted(name_words(ours)) == sorted(name_words(theirs))


def resolve_delegate(new: Delegate, session_year: int | None, known: Iterable[KnownDelegate]) -> Resolution:
    """Return the id for a delegate: of the one known delegate that fits, else a new one of its own.

    Where several fit, none is chosen: the delegate gets a new id and the candidates are named.
    """
    known = list(known)
    fitting = [candidate for candidate in known if same_delegate(candidate, new, session_year)]
    if len(fitting) == 1:
        return Resolution(fitting[0].id, new=False)
    fresh = delegate_id(new.kind, new.name, new.body)
    taken = {candidate.id for candidate in known}
    if fresh in taken:
        organizations = sorted({role.organization for role in new.roles if role.organization})
        fresh = stable_hash(fresh, new.body, session_year, *organizations)
        if fresh in taken:
            return Resolution(fresh, new=False)
    return Resolution(fresh, new=True, candidates=tuple(candidate.id for candidate in fitting))


def same_proposal(first: str, second: str, threshold: float = 0.6) -> bool:
    """Tell whether two texts of one delegate and year are one proposal: most words of the shorter are in the other.

    Short words do not count; of Chinese, written without spaces, each two neighbouring characters are a word.
    """
    smaller, larger = sorted((_content_words(first), _content_words(second)), key=len)
    if len(smaller) < 4:
        return first.casefold() == second.casefold()
    return len(smaller & larger) >= threshold * len(smaller)


def _content_words(text: str) -> set[str]:
    words = {word.casefold() for word in _WORD.findall(text) if len(word) > 3}
    pairs = {run[at : at + 2] for run in _HAN_RUN.findall(text) for at in range(len(run) - 1)}
    return words | pairs


def settle_firsts(links: Mapping[str, Hashable]) -> dict[str, str]:
    """Return the first record of each record's proposal, where each names the one that it was led to.

    A link ends at a record that has none itself, which is first, or at what is no record (anything but a string): what
    a proposal without a first record has in common. Of those, as of records that lead to each other, the one with the
    least id is first.
    """
    groups: dict[Hashable, list[str]] = {}
    for record in links:
        path: list[Hashable] = [record]
        while (last := path[-1]) in links and links[last] not in path:  # type: ignore[index]
            path.append(links[last])  # type: ignore[index]
        end = path[-1]
        if end in links:
            end = frozenset(path[path.index(links[end]) :])  # type: ignore[index]
        groups.setdefault(end, []).append(record)
    return {
        record: end if isinstance(end, str) else min(members) for end, members in groups.items() for record in members
    }


def own_ids(article: Article) -> Iterator[str]:
    """Yield the ids that an article may have, the first that no other has being its own: the same ones in every run."""
    digest = stable_hash(article.text)
    yield article.id
    for length in (8, len(digest)):
        yield f"{article.id}-{digest[:length]}"


def later_version(article: Article, known: Iterable[tuple[str, str | None, str]]) -> str | None:
    """Return the id of the known article (id, URL, text) of which an article is another version, None where of none.

    A corrected file is the article that it was; another file of the same name is another article, and so is a like
    text at another address. What is guessed here is only whether one text takes the place of another: for the very
    same text nobody has to ask.
    """
    words = [word.lower() for word in WORD.findall(article.text)]
    best, most = None, _VERSION
    for name, url, text in known:
        if url and article.url and url != article.url:
            continue
        matcher = SequenceMatcher(None, words, [word.lower() for word in WORD.findall(text)], autojunk=False)
        if matcher.real_quick_ratio() > most and matcher.quick_ratio() > most and (share := matcher.ratio()) > most:
            best, most = name, share
    return best
