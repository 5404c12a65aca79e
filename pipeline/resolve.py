"""One delegate, one proposal, over many articles: decisions alone; nothing is stored here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from .corpus import near_duplicates
from .languages import load_languages
from .people import delegate_id, name_words
from .schema import Article, Delegate, stable_hash

_CJK = "㐀-鿿"
_CJK_RUN = re.compile(f"[{_CJK}]+")
_WORD = re.compile(rf"[^\W_{_CJK}]+")
_NATIONAL = ("NPC", "CPPCC")
# A text that shares more of its five-word runs with another is a later version of it.
_REVISED = 0.3


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
    """Tell whether two names may be of one organization: all distinctive words of the shorter are in the longer."""
    words = [set(name_words(name)) - _generic_words() for name in (first, second)]
    smaller, larger = sorted(words, key=len)
    return bool(smaller) and smaller <= larger


def same_delegate(known: KnownDelegate, new: Delegate, session_year: int | None) -> bool:
    """Tell whether a delegate of an article is one that is known already.

    The names must agree, and nothing may speak against it: different Chinese names, the two national bodies in one year
    (nobody sits in both; a local seat goes with either), or posts at organizations of which none agrees. A namesake is
    kept apart rather than merged.
    """
    if known.kind != new.kind or sorted(name_words(known.name)) != sorted(name_words(new.name)):
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
    if known.organizations and organizations:
        return any(same_organization(a, b) for a in known.organizations for b in organizations)
    return True


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
    pairs = {run[at : at + 2] for run in _CJK_RUN.findall(text) for at in range(len(run) - 1)}
    return words | pairs


def second_id(article: Article) -> str:
    """Return the id of an article whose own one is another's: the same for the same text, in every run."""
    return f"{article.id}-{stable_hash(article.text)[:8]}"


def known_article(article: Article, known: Mapping[str, str]) -> str | None:
    """Return the id, among those of known articles and their texts, under which an article is known; None: new.

    That is the id with the same text, else the one whose text shares most with it, for a file that was corrected is the
    same article. Where no text is like it, another file had the name, and the article gets its second id.
    """
    if not known:
        return None
    for name, text in known.items():
        if text == article.text:
            return name
    texts = {**{f"{at}": text for at, text in enumerate(known.values())}, "new": article.text}
    shares = {pair[0]: share for *pair, share in near_duplicates(texts, _REVISED) if pair[1] == "new"}
    if shares:
        return list(known)[int(max(shares, key=lambda at: shares[at]))]
    return second_id(article) if article.id in known else None
