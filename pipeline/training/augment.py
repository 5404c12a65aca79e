"""Training articles with other names, posts' places and wordings: every swap is consistent through the article.

Only surface forms that carry no label change: who a delegate is, how the membership is put, how the page is set. The
annotations move along with the text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..corpus import AnnotatedArticle

_CJK = re.compile(r"[㐀-鿿]")


@dataclass(frozen=True)
class Edit:
    """Replace the characters from `start` to `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Gazetteer:
    """Material for swaps.

    `surnames` with their weights, `syllables` of given names, `wordings` of a membership by body, and
    `organizations` by their last word ("Bank", "University"), so that a bank stays a bank.
    """

    surnames: Sequence[str]
    weights: Sequence[float]
    syllables: Sequence[str]
    wordings: Mapping[str, Sequence[str]]
    organizations: Mapping[str, Sequence[str]]


def augment(gold: AnnotatedArticle, gazetteer: Gazetteer, seed: int) -> AnnotatedArticle:
    """Return a variant of an article; the same seed gives the same variant."""
    random_ = random.Random(seed)
    edits: list[Edit] = []
    if random_.random() < 0.7:
        edits.extend(_names(gold, gazetteer, random_))
    if random_.random() < 0.4:
        edits.extend(_memberships(gold, gazetteer, random_, edits))
    if random_.random() < 0.5:
        edits.extend(_organizations(gold, gazetteer, random_))
    variant = apply_edits(gold, edits)
    if random_.random() < 0.5:
        variant = _typography(variant, random_)
    if random_.random() < 0.3:
        variant = _line_gaps(variant)
    return variant


def apply_edits(gold: AnnotatedArticle, edits: Sequence[Edit]) -> AnnotatedArticle:
    """Return the article with non-overlapping edits made and every annotation moved; edits at a border stay on their
    side.

    An edit lies wholly inside or outside of each annotation.
    """
    ordered = sorted(edits, key=lambda edit: edit.start)
    text, at = gold.article.text, 0
    pieces: list[str] = []
    for edit in ordered:
        if edit.start < at:
            raise ValueError(f"{gold.article.id}: edits overlap at {edit.start}")
        pieces.extend((text[at : edit.start], edit.text))
        at = edit.end
    pieces.append(text[at:])

    starts = [edit.start for edit in ordered]
    growth = [0]
    for edit in ordered:
        growth.append(growth[-1] + len(edit.text) - (edit.end - edit.start))

    def move(offset: int, is_end: bool) -> int:
        low, high = 0, len(ordered)
        while low < high:
            middle = (low + high) // 2
            behind = ordered[middle].end <= offset if is_end else starts[middle] < offset
            low, high = (middle + 1, high) if behind else (low, middle)
        return offset + growth[low]

    return replace(
        gold,
        article=replace(gold.article, text="".join(pieces)),
        mentions=tuple(replace(m, start=move(m.start, False), end=move(m.end, True)) for m in gold.mentions),
        statements=tuple(replace(s, start=move(s.start, False), end=move(s.end, True)) for s in gold.statements),
    )


def _names(gold: AnnotatedArticle, gazetteer: Gazetteer, random_: random.Random) -> list[Edit]:
    """Give people with a plain two-word name another one, everywhere in the article."""
    text = gold.article.text
    edits: list[Edit] = []
    taken = {word.casefold() for entity in gold.entities for word in re.findall(r"\w+", entity.name)}
    for entity in gold.entities:
        words = entity.name.split()
        if entity.kind != "person" or len(words) != 2 or not entity.name.isascii() or random_.random() < 0.2:
            continue
        mentions = [m for m in gold.mentions if entity.id in m.of and m.label == "PERSON"]
        surname = _surname(gazetteer, random_, taken)
        given = _given(gazetteer, random_)
        known = {words[0].casefold(): surname, words[1].casefold(): given}
        replaced = [_swap(text[m.start : m.end], known) for m in mentions]
        if any(new is None for new in replaced):
            continue
        taken |= {surname.casefold(), given.casefold()}
        edits.extend(Edit(m.start, m.end, new) for m, new in zip(mentions, replaced, strict=True) if new is not None)
    return edits


def _swap(words: str, known: dict[str, str]) -> str | None:
    """Return a mention with the words of a name exchanged, its case kept; None where it holds other words."""
    if _CJK.search(words):
        return words
    found = re.findall(r"\w+(?:[’'-]\w+)*", words)
    if not all(word.casefold() in known for word in found):
        return None

    def one(match: re.Match[str]) -> str:
        new = known[match[0].casefold()]
        return new.upper() if match[0].isupper() and len(match[0]) > 1 else new

    return re.sub(r"\w+(?:[’'-]\w+)*", one, words)


def _surname(gazetteer: Gazetteer, random_: random.Random, taken: set[str]) -> str:
    for _ in range(20):
        name = random_.choices(gazetteer.surnames, gazetteer.weights)[0]
        if name.casefold() not in taken:
            return name
    return "Ouyang"


def _given(gazetteer: Gazetteer, random_: random.Random) -> str:
    count = random_.choices((1, 2, 3), (0.25, 0.72, 0.03))[0]
    syllables = [random_.choice(gazetteer.syllables) for _ in range(count)]
    name = syllables[0]
    for syllable in syllables[1:]:
        name += ("'" if syllable[0] in "aeo" else "") + syllable
    return name.capitalize()


def _memberships(
    gold: AnnotatedArticle, gazetteer: Gazetteer, random_: random.Random, edits: Sequence[Edit]
) -> list[Edit]:
    """Put memberships in other words of the same body."""
    text = gold.article.text
    found = []
    for mention in gold.mentions:
        wordings = gazetteer.wordings.get(mention.is_ or "")
        if mention.label != "BODY" or not wordings or random_.random() < 0.5:
            continue
        if any(edit.start < mention.end and mention.start < edit.end for edit in edits):
            continue
        old = text[mention.start : mention.end]
        new = random_.choice(wordings)
        has_article = re.match(r"(an?|the) ", old, re.IGNORECASE)
        if has_article:
            new = ("an " if new[0] in "aeiouAEIOUN" and not new.startswith("National") else "a ") + new
        if old[0].isupper():
            new = new[0].upper() + new[1:]
        found.append(Edit(mention.start, mention.end, new))
    return found


_STRAIGHT = {"“": '"', "”": '"', "‘": "'", "’": "'"}


def _typography(gold: AnnotatedArticle, random_: random.Random) -> AnnotatedArticle:
    """Set curly marks straight, or straight double quotation marks curly."""
    text = gold.article.text
    if any(mark in text for mark in "“”"):
        return apply_edits(gold, [Edit(m.start(), m.end(), _STRAIGHT[m[0]]) for m in re.finditer("[“”‘’]", text)])
    edits, open_ = [], False
    for match in re.finditer(r'["\n]', text):
        if match[0] == "\n":
            open_ = False
            continue
        edits.append(Edit(match.start(), match.end(), "”" if open_ else "“"))
        open_ = not open_
    return apply_edits(gold, edits)


def _line_gaps(gold: AnnotatedArticle) -> AnnotatedArticle:
    """Take the empty lines out, or put them in."""
    text = gold.article.text
    new = "\n" if "\n\n" in text else "\n\n"
    return apply_edits(gold, [Edit(m.start(), m.end(), new) for m in re.finditer(r"\n+", text)])


def organization_pool(corpus: Iterable[AnnotatedArticle]) -> dict[str, tuple[str, ...]]:
    """Return the organizations of people in some articles, by the last word of their names."""
    pool: dict[str, set[str]] = {}
    for gold in corpus:
        for mention in gold.mentions:
            name = gold.article.text[mention.start : mention.end]
            if mention.label == "ORG" and mention.of and len(name.split()) > 1:
                pool.setdefault(name.split()[-1], set()).add(name)
    return {word: tuple(sorted(names)) for word, names in pool.items() if len(names) > 3}


def _organizations(gold: AnnotatedArticle, gazetteer: Gazetteer, random_: random.Random) -> list[Edit]:
    """Give people's organizations the name of another one of their kind, everywhere in the article."""
    text = gold.article.text
    chosen: dict[str, str] = {}
    edits = []
    for mention in gold.mentions:
        name = text[mention.start : mention.end]
        pool = gazetteer.organizations.get(name.split()[-1], ())
        if mention.label != "ORG" or not mention.of or len(name.split()) < 2 or not pool:
            continue
        if name not in chosen:
            chosen[name] = random_.choice(pool) if random_.random() < 0.5 else name
        if chosen[name] != name:
            edits.append(Edit(mention.start, mention.end, chosen[name]))
    return edits


# Initials and the finals that given names commonly have behind them.
_PINYIN = """
b ai ao ei en in ing o; c ai ong; ch ang ao en eng ong un; d an ong e i ing; f an ang ei en eng u; g ang ao uang ui uo;
h ai ao e ong ua uan ui; j i ia ian iang ie in ing un; k ai ang un; l an ang ei i ian iang in ing ong u; m an ei eng
in ing; n a an ing; p ei eng ing; q i iang iao in ing uan; r an en ong ui un; s en ong i; sh an ao eng i u uai un uo;
t ao ian ing ong; w ei en u; x i ia ian iang iao in ing iu u uan ue un; y a an ang ao i in ing ong u uan ue un; z e i
ong; zh ang ao en eng i ong uo
"""


def pinyin_syllables() -> tuple[str, ...]:
    """Return syllables that given names are commonly made of."""
    groups = [group.split() for group in _PINYIN.split(";")]
    return tuple(initial + final for initial, *finals in groups for final in finals)


def make_gazetteer(
    lexicon: Mapping[str, Any], surnames: Sequence[str], corpus: Iterable[AnnotatedArticle]
) -> Gazetteer:
    """Return the gazetteer of a decoded lexicon, its surnames, and the organizations of the articles to augment.

    A surname that opens the list of common ones is drawn more often.
    """
    common = set(lexicon["augment"]["common_surnames"])
    weights = [6.0 if name in common else 1.0 for name in surnames]
    wordings = {body: tuple(lexicon["augment"][body]) for body in ("NPC", "CPPCC")}
    return Gazetteer(tuple(surnames), weights, pinyin_syllables(), wordings, organization_pool(corpus))
