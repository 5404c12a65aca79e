"""Training articles with other names, posts, places and years: every swap is consistent through the article.

Only what carries no label changes: who a delegate is, how the membership is put, when and where it happened; how the
page is set and spoiled is in `layout`. The annotations move along with the text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..corpus import AnnotatedArticle
from ..languages import load_languages
from ..scripts import HAN, UNSPACED, chinese
from .chinese_names import ChineseNames, collect_names, rename_people
from .layout import Edit, apply_edits, change_line_gaps, change_quotation_marks, reorder_entries, spoil

# A year of this century, and one that may stand right beside Chinese characters.
_YEAR = re.compile(r"\b20[012]\d\b")
_UNSPACED_YEAR = re.compile(rf"(?<![^\W{HAN}])20[012]\d(?![^\W{HAN}])")
# So many characters at the end of a name say its kind where no spaces show its last word ("银行", "院长").
_KIND = 2


@dataclass(frozen=True)
class Gazetteer:
    """Material for swaps.

    `surnames` in pinyin with their weights, `syllables` of given names, `wordings` of a membership by body,
    `organizations` by their last word ("Bank", "University"), so that a bank stays a bank, `posts` by the word that
    says their kind, `places` that may stand for each other, and what names in Chinese characters are made of.
    """

    surnames: Sequence[str]
    weights: Sequence[float]
    syllables: Sequence[str]
    wordings: Mapping[str, Sequence[str]]
    organizations: Mapping[str, Sequence[str]]
    posts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    places: Sequence[str] = ()
    chinese_names: ChineseNames = field(default_factory=ChineseNames)

    @cached_property
    def holders(self) -> frozenset[str]:
        """The words for one who has a membership: the last ones of wordings, but for names ("deputy", not "NPC")."""
        last = {_words(wording)[-1] for wordings in self.wordings.values() for wording in wordings}
        return frozenset(word for word in last if word == word.casefold())

    @cached_property
    def membership_words(self) -> frozenset[str]:
        """All words of the wordings, in lower case."""
        return frozenset(
            word.casefold() for wordings in self.wordings.values() for wording in wordings for word in _words(wording)
        )

    def is_one_member(self, words: str) -> bool:
        """Tell whether a membership without its article is put as the wordings are, so that these fit in its place:
        not the body alone, not several members, nor one of them.
        """
        found = {word.casefold() for word in _words(words)}
        return bool(found & self.holders) and found <= self.membership_words


@dataclass(frozen=True)
class Rates:
    """How often each kind of change is made to an article, between 0 and 1."""

    names: float = 0.7
    memberships: float = 0.4
    organizations: float = 0.5
    typography: float = 0.5
    lines: float = 0.3
    posts: float = 0.0
    places: float = 0.0
    years: float = 0.0
    order: float = 0.0
    noise: float = 0.0


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def augment(gold: AnnotatedArticle, gazetteer: Gazetteer, seed: int, rates: Rates | None = None) -> AnnotatedArticle:
    """Return a variant of an article; the same seed gives the same variant."""
    random_ = random.Random(seed)
    rates = rates or Rates()

    def drawn(rate: float) -> bool:
        # A kind that is off draws nothing, so that the others come out as they would without it.
        return rate > 0 and random_.random() < rate

    edits: list[Edit] = []
    if drawn(rates.names):
        edits.extend(_names(gold, gazetteer, random_))
        edits.extend(rename_people(gold, gazetteer.chinese_names, random_))
    if drawn(rates.memberships):
        edits.extend(_memberships(gold, gazetteer, random_, edits))
    if drawn(rates.organizations):
        edits.extend(_organizations(gold, gazetteer, random_))
    if drawn(rates.posts):
        edits.extend(_posts(gold, gazetteer, random_))
    if drawn(rates.places):
        edits.extend(_places(gold, gazetteer, random_, edits))
    if drawn(rates.years):
        edits.extend(_years(gold, gazetteer, random_, edits))
    variant = apply_edits(gold, edits)
    if drawn(rates.order):
        variant = reorder_entries(variant, random_)
    if drawn(rates.typography):
        variant = change_quotation_marks(variant)
    if drawn(rates.lines):
        variant = change_line_gaps(variant)
    if drawn(rates.noise):
        variant = spoil(variant, random_)
    return variant


def _names(gold: AnnotatedArticle, gazetteer: Gazetteer, random_: random.Random) -> list[Edit]:
    """Give people with a plain two-word name another one, everywhere in the article."""
    text = gold.article.text
    edits: list[Edit] = []
    if not gazetteer.surnames:
        return edits
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
    if chinese(words):
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
    """Put the memberships of one person each in other words of the same body."""
    text = gold.article.text
    found = []
    for mention in gold.mentions:
        wordings = gazetteer.wordings.get(mention.is_ or "")
        old = text[mention.start : mention.end]
        has_article = re.match(r"(an?|the) ", old, re.IGNORECASE)
        if mention.label != "BODY" or not wordings:
            continue
        if not gazetteer.is_one_member(old[has_article.end() if has_article else 0 :]) or random_.random() < 0.5:
            continue
        if any(edit.start < mention.end and mention.start < edit.end for edit in edits):
            continue
        new = random_.choice(wordings)
        if has_article:
            new = ("an " if new[0] in "aeiouAEIOUN" and not new.startswith("National") else "a ") + new
        if old[0].isupper():
            new = new[0].upper() + new[1:]
        found.append(Edit(mention.start, mention.end, new))
    return found


def _kind_of_organization(name: str) -> str:
    """Return the last word of a name, which says its kind; "" where the name is no more than that."""
    if UNSPACED.match(name[-1]):
        return name[-_KIND:] if len(name) > _KIND else ""
    words = name.split()
    return words[-1] if len(words) > 1 else ""


def organization_pool(corpus: Iterable[AnnotatedArticle]) -> dict[str, tuple[str, ...]]:
    """Return the organizations of people in some articles, by the last word of their names."""
    pool: dict[str, set[str]] = {}
    for gold in corpus:
        for mention in gold.mentions:
            name = gold.article.text[mention.start : mention.end]
            if mention.label == "ORG" and mention.of and (kind := _kind_of_organization(name)):
                pool.setdefault(kind, set()).add(name)
    return {word: tuple(sorted(names)) for word, names in pool.items() if len(names) > 3}


def _organizations(gold: AnnotatedArticle, gazetteer: Gazetteer, random_: random.Random) -> list[Edit]:
    """Give people's organizations the name of another one of their kind, everywhere in the article."""
    text = gold.article.text
    chosen: dict[str, str] = {}
    edits = []
    for mention in gold.mentions:
        name = text[mention.start : mention.end]
        pool = gazetteer.organizations.get(_kind_of_organization(name), ())
        if mention.label != "ORG" or not mention.of or not pool:
            continue
        if name not in chosen:
            chosen[name] = random_.choice(pool) if random_.random() < 0.5 else name
        if chosen[name] != name:
            edits.append(Edit(mention.start, mention.end, chosen[name]))
    return edits


def _posts(gold: AnnotatedArticle, gazetteer: Gazetteer, random_: random.Random) -> list[Edit]:
    """Give people another post of the same kind."""
    text = gold.article.text
    edits = []
    for mention in gold.mentions:
        post = text[mention.start : mention.end]
        pool = gazetteer.posts.get(_kind_of_post(post), ())
        if mention.label == "ROLE" and pool and random_.random() < 0.5:
            new = random_.choice(pool)
            edits.append(Edit(mention.start, mention.end, new[0].upper() + new[1:] if post[0].isupper() else new))
    return edits


def _kind_of_post(post: str) -> str:
    """Return the word that says which kind of post it is, with what stands before a noun phrase starting with a vowel.

    "deputy general manager" and "professor of law" are a manager and a professor; "a" and "an" must go on fitting.
    Where no spaces show words, the last characters say it ("副总经理" and "经理").
    """
    if UNSPACED.match(post[-1]):
        return post[-_KIND:]
    head = re.split(r" (?:of|for|at|in|to|and)\b|,", post, maxsplit=1)[0]
    return f"{post[0].casefold() in 'aeiou'} {head.split()[-1].casefold()}" if head.split() else ""


def post_pool(corpus: Iterable[AnnotatedArticle]) -> dict[str, tuple[str, ...]]:
    """Return the posts in some articles, by their kind."""
    pool: dict[str, set[str]] = {}
    for gold in corpus:
        for mention in gold.mentions:
            if mention.label == "ROLE":
                post = gold.article.text[mention.start : mention.end]
                pool.setdefault(_kind_of_post(post), set()).add(post)
    return {kind: tuple(sorted(posts)) for kind, posts in pool.items() if len(posts) > 3}


def _places(gold: AnnotatedArticle, gazetteer: Gazetteer, random_: random.Random, edits: Sequence[Edit]) -> list[Edit]:
    """Move what happens in some places to others, names of organizations included."""
    if not gazetteer.places:
        return []
    words = (re.escape(place) if UNSPACED.match(place) else rf"\b{re.escape(place)}\b" for place in gazetteer.places)
    pattern = re.compile("|".join(words))
    text = gold.article.text
    moved = {place: random_.choice(gazetteer.places) for place in sorted(set(pattern.findall(text)))}
    # Without spaces two words may look like a place together, where one annotation ends and another begins.
    borders = {at for m in gold.mentions for at in (m.start, m.end)}
    borders |= {at for s in gold.statements for at in (s.start, s.end)}
    return [
        Edit(match.start(), match.end(), moved[match[0]])
        for match in pattern.finditer(text)
        if not any(edit.start < match.end() and match.start() < edit.end for edit in edits)
        and borders.isdisjoint(range(match.start() + 1, match.end()))
    ]


def _years(gold: AnnotatedArticle, gazetteer: Gazetteer, random_: random.Random, edits: Sequence[Edit]) -> list[Edit]:
    """Move the years of this century by as many years, all alike."""
    shift = random_.randint(-4, 4)
    # Where people are named in another script, Chinese words are quoted, and stay as they are.
    year = _UNSPACED_YEAR if gazetteer.chinese_names.surnames else _YEAR
    return [
        Edit(match.start(), match.end(), str(int(match[0]) + shift))
        for match in year.finditer(gold.article.text)
        if not any(edit.start < match.end() and match.start() < edit.end for edit in edits)
    ]


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
    """Return the gazetteer of a decoded lexicon, its surnames, and the organizations and posts of the articles.

    A surname that opens the list of common ones is drawn more often. What a lexicon does not list is not swapped.
    """
    words = lexicon.get("augment", {})
    common = set(words.get("common_surnames", ()))
    surnames = [name for name in surnames if not chinese(name)]
    weights = [6.0 if name in common else 1.0 for name in surnames]
    wordings = {body: tuple(words.get(body, ())) for body in ("NPC", "CPPCC")}
    corpus = list(corpus)
    return Gazetteer(
        tuple(surnames), weights, pinyin_syllables(), wordings, organization_pool(corpus), post_pool(corpus),
        tuple(words.get("places", ())), collect_names(corpus, load_languages()),
    )  # fmt: skip
