"""The metrics, one article at a time, on plain values: what is right, what there is, what was given.

All ranges are half-open ranges of code points in the article's text. Tallies of articles add up (`intervals`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ..languages import load_languages
from ..people import name_words, same_but_generic, same_name
from ..rules.lexicon import load_lexicon
from ..schema import MENTION_LABELS
from .intervals import Tally

Range = tuple[int, int]
#: The overlap from which on a record counts as found.
FOUND = 0.5
QUOTATION_MARKS = "\"'“”‘’„‟«»‹›「」『』＂＇`"
FINAL_PUNCTUATION = ".,;:!?…。，；：！？"
#: What kind of error a wrong prediction is, worst first.
LOOK_ALIKE, WRONG_SPAN, WRONG_PROPONENT, SURPLUS = "look-alike speaker", "wrong span", "wrong proponent", "surplus"
WRONG_KINDS = (LOOK_ALIKE, WRONG_PROPONENT, WRONG_SPAN, SURPLUS)

Tallies = dict[str, Tally]


@dataclass(frozen=True)
class Party:
    """Who proposes, by name; `aliases` are other names that mean the same one, Chinese characters among them."""

    name: str
    kind: str = "person"
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A record, as gold or as predicted; a gold one without topics, or without a stance, is not asked for them.

    `loose`: posts and organizations are right where each contains, or is contained in, a predicted one, and surplus
    ones do no harm. `stance_also`: other answers that count as right. `traits`: the error buckets of a gold record.
    `proponent_score`, `topic_scores` and `stance_scores` (promote, regulate) are the predicted probabilities.
    """

    proponent: Party
    spans: tuple[Range, ...]
    body: str | None = None
    roles: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    stance: str | None = None
    stance_also: tuple[str, ...] = ()
    loose: bool = False
    traits: tuple[str, ...] = ()
    score: float = 1.0
    proponent_score: float = 1.0
    topic_scores: tuple[tuple[str, float], ...] = ()
    stance_scores: tuple[float, float] | None = None


@dataclass(frozen=True)
class Tag:
    """A labelled range: a mention, or a statement."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Holding:
    """A labelled range that belongs to somebody: a post, an organization, a membership, or a statement."""

    start: int
    end: int
    label: str
    holder: Party


@dataclass(frozen=True)
class Match:
    """A gold and a predicted record of one proponent, by index, and the overlap of their characters."""

    gold: int
    predicted: int
    overlap: float
    exact: bool

    @property
    def found(self) -> bool:
        """Whether the overlap is enough for the record to count as found."""
        return self.overlap >= FOUND


def agrees(gold: Party, predicted: Party) -> bool:
    """Tell whether a predicted proponent is the gold one, by their names.

    A person: the same name, a part of it or its Chinese characters, either way round, or one of the gold aliases. An
    organization: the same words but for a leading "the", an alias, or the words of one among those of the other, where
    they tell which one it is or what they lack doesn't. Without spaces between the words only the latter can be told.
    """
    if gold.kind != predicted.kind:
        return False
    known = {_plain(name) for name in (gold.name, *gold.aliases)}
    names = (predicted.name, *predicted.aliases)
    if any(_plain(name) in known for name in names):
        return True
    if gold.kind == "person":
        return any(same_name(gold.name, name) or same_name(name, gold.name) for name in names)
    shorter, longer = sorted((set(_plain(name).split()) for name in (gold.name, predicted.name)), key=len)
    generic, kinds = _ordinary_words()
    if shorter <= longer:
        return bool(shorter - generic - kinds) or longer - shorter <= generic
    return same_but_generic(gold.name, predicted.name)


@cache
def _ordinary_words() -> tuple[frozenset[str], frozenset[str]]:
    """Return the words of any language that don't tell an organization: what is generic, and what kinds there are."""
    languages = load_languages()
    lexicons = [load_lexicon(lang) for lang, entry in languages.table.items() if entry.get("lexicon")]
    kinds = frozenset(word.casefold() for lexicon in lexicons for word in lexicon.organization_suffixes)
    return languages.generic_words(), kinds | languages.kinds()


def likeness(first: Party, second: Party) -> float:
    """Return how well two names go together, to assign them: the same one before others that may mean the same."""
    # Over 2, so that no two other pairs together outweigh one of the same name.
    return 0.0 if not agrees(first, second) else 3.0 if _party_key(first) == _party_key(second) else 1.0


def _plain(name: str) -> str:
    """Return the words of a name in lower case, without a leading article."""
    return re.sub(r"^(?:the|an?) (?=\w)", "", " ".join(name_words(name)) or name.strip().casefold())


def normalise(text: str, spans: Iterable[Range]) -> tuple[Range, ...]:
    """Return spans in text order, without white space, quotation marks and final punctuation at their edges."""
    found = []
    for start, end in spans:
        while start < end and (text[start].isspace() or text[start] in QUOTATION_MARKS):
            start += 1
        while start < end and (text[end - 1].isspace() or text[end - 1] in QUOTATION_MARKS + FINAL_PUNCTUATION):
            end -= 1
        if start < end:
            found.append((start, end))
    return tuple(sorted(set(found)))


def characters(spans: Iterable[Range]) -> frozenset[int]:
    """Return the offsets that the union of spans covers."""
    return frozenset(at for start, end in spans for at in range(start, end))


def overlap(first: frozenset[int], second: frozenset[int]) -> float:
    """Return the intersection over the union of two sets of offsets; 0 where both are empty."""
    union = len(first | second)
    return len(first & second) / union if union else 0.0


def match_claims(text: str, gold: Sequence[Claim], predicted: Sequence[Claim]) -> tuple[Match, ...]:
    """Return the one-to-one matches of records with the largest total overlap, where the proponents agree."""
    theirs = [normalise(text, claim.spans) for claim in predicted]
    ours = [normalise(text, claim.spans) for claim in gold]
    ours_at, theirs_at = [characters(spans) for spans in ours], [characters(spans) for spans in theirs]
    table = np.zeros((len(gold), len(predicted)))
    for row, claim in enumerate(gold):
        for column, other in enumerate(predicted):
            if agrees(claim.proponent, other.proponent):
                table[row, column] = overlap(ours_at[row], theirs_at[column])
    return tuple(
        Match(row, column, float(table[row, column]), ours[row] == theirs[column]) for row, column in assign(table)
    )


def assign(weights: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the (row, column) pairs of the one-to-one assignment with the largest sum; none of no weight."""
    if not weights.size:
        return []
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if weights[r, c] > 0]


def attribution_tallies(
    text: str, gold: Sequence[Claim], predicted: Sequence[Claim], matches: Sequence[Match]
) -> Tallies:
    """Return the tallies of records found (overlap, exact, characters), whole records, proponents and buckets.

    A gold record whose topics or stance nobody annotated is no whole record, and what found it is no wrong one.
    """
    sizes = (len(gold), len(predicted))
    found = [match for match in matches if match.found]
    pairs = [(gold[match.gold], predicted[match.predicted]) for match in found]
    whole = [pair for pair in pairs if _labelled(pair[0])]
    whole_sizes = (sum(map(_labelled, gold)), len(predicted) - (len(pairs) - len(whole)))
    tallies = {
        "attribution.overlap": Tally(len(found), *sizes),
        "attribution.exact": Tally(sum(match.exact for match in matches), *sizes),
        "attribution.characters": _character_tally(text, gold, predicted),
        "proponent": _proponent_tally(gold, predicted),
        "record.whole": Tally(sum(whole_right(*pair) for pair in whole), *whole_sizes),
        "record.core": Tally(sum(core_right(*pair) for pair in whole), *whole_sizes),
    }
    reached = {match.gold for match in found}
    for index, claim in enumerate(gold):
        for trait in claim.traits:
            key = f"bucket/{trait}"
            tallies[key] = tallies.get(key, Tally()) + Tally(index in reached, 1, 1)
    return tallies


def _labelled(gold: Claim) -> bool:
    return bool(gold.topics and gold.stance)


def _character_tally(text: str, gold: Sequence[Claim], predicted: Sequence[Claim]) -> Tally:
    """Count (proponent, character) pairs; a predicted name means the agreeing gold one that it shares most with."""
    ours = _by_party(text, gold)
    pairs: dict[object, set[int]] = {}
    for party, covered in _by_party(text, predicted).items():
        fitting = [other for other in ours if agrees(other, party)]
        # Without a gold namesake the characters count as given in vain, under the name that was given.
        meant = max(fitting, key=lambda other: len(ours[other] & covered)) if fitting else ("?", party.name)
        pairs.setdefault(meant, set()).update(covered)
    right = sum(len(covered & pairs.get(party, set())) for party, covered in ours.items())
    return Tally(right, sum(map(len, ours.values())), sum(map(len, pairs.values())))


def _by_party(text: str, claims: Sequence[Claim]) -> dict[Party, set[int]]:
    parties = _parties(claims)
    found: dict[Party, set[int]] = {}
    for claim in claims:
        party = parties[_party_key(claim.proponent)]
        found.setdefault(party, set()).update(characters(normalise(text, claim.spans)))
    return found


def _parties(claims: Iterable[Claim]) -> dict[tuple[str, str], Party]:
    """Return the proponents of records, each once, with the aliases of all of its records."""
    found: dict[tuple[str, str], Party] = {}
    for party in (claim.proponent for claim in claims):
        known = found.setdefault(_party_key(party), party)
        aliases = tuple(dict.fromkeys((*known.aliases, *party.aliases)))
        found[_party_key(party)] = replace(known, aliases=aliases)
    return found


def _proponent_tally(gold: Sequence[Claim], predicted: Sequence[Claim]) -> Tally:
    ours, theirs = (list(_parties(claims).values()) for claims in (gold, predicted))
    table = np.array([[float(agrees(a, b)) for b in theirs] for a in ours]).reshape(len(ours), len(theirs))
    return Tally(len(assign(table)), len(ours), len(theirs))


def _party_key(party: Party) -> tuple[str, str]:
    return party.kind, _plain(party.name)


def whole_right(gold: Claim, predicted: Claim) -> bool:
    """Tell whether everything about a found record is right: body, posts, organizations, topics, stance."""
    return (
        gold.body == predicted.body
        and posts_right(gold, predicted)
        and stance_right(gold, predicted)
        and set(gold.topics) == set(predicted.topics)
    )


def core_right(gold: Claim, predicted: Claim) -> bool:
    """Tell whether body and stance of a found record are right, and its topics by and large.

    One gold topic at least is found, however many others are missed, and one topic at most is surplus.
    """
    ours, theirs = set(gold.topics), set(predicted.topics)
    topics = bool(ours & theirs) and len(theirs - ours) <= 1
    return gold.body == predicted.body and stance_right(gold, predicted) and topics


def stance_right(gold: Claim, predicted: Claim) -> bool:
    """Tell whether a stance is the gold one or another that counts as right."""
    return predicted.stance == gold.stance or predicted.stance in gold.stance_also


def posts_right(gold: Claim, predicted: Claim) -> bool:
    """Tell whether the posts and organizations of a proponent are right.

    Posts are compared as sets of titles. A gold organization may be given by any of its names (one whose words are
    among another's, one that lacks but generic words, or the initials of another). A record names organizations only
    beside a post, so the organizations of somebody without one are not asked for.
    """
    roles = {_plain(title) for title in gold.roles}, {_plain(title) for title in predicted.roles}
    names = {_plain(name) for name in gold.organizations}, {_plain(name) for name in predicted.organizations}
    if gold.loose:
        return all(any(a in b or b in a for b in theirs) for ours, theirs in (roles, names) for a in ours)
    if roles[0] != roles[1]:
        return False
    families = [{a for a in names[0] if _same_house(a, name)} for name in names[0]]
    return names[1] <= names[0] and (not roles[0] or all(family & names[1] for family in families))


def _same_house(first: str, second: str) -> bool:
    ours, theirs = first.split(), second.split()
    if set(ours) <= set(theirs) or set(theirs) <= set(ours) or same_but_generic(first, second):
        return True
    short, words = (ours, theirs) if len(ours) == 1 else (theirs, ours)
    small = ("of", "and", "the", "for", "s")
    return len(short) == 1 and short[0] == "".join(word[0] for word in words if word not in small)


def wrong_predictions(
    text: str, gold: Sequence[Claim], predicted: Sequence[Claim], matches: Sequence[Match]
) -> dict[int, str]:
    """Return what kind of error each predicted record is that found nothing, by its index.

    A look-alike speaker is no gold proponent. Of gold proponents: a wrong span overlaps an unfound record of theirs
    too little, a wrong proponent overlaps only somebody else's, and a surplus one nothing that is still to be found.
    """
    done = {match.predicted for match in matches if match.found}
    reached = {match.gold for match in matches if match.found}
    covered = [characters(normalise(text, claim.spans)) for claim in gold]
    found = {}
    for index, claim in enumerate(predicted):
        if index in done:
            continue
        mine = [agrees(other.proponent, claim.proponent) for other in gold]
        at = characters(normalise(text, claim.spans))
        touched = [bool(at & other) for other in covered]
        if not any(mine):
            found[index] = LOOK_ALIKE
        elif any(m and t and i not in reached for i, (m, t) in enumerate(zip(mine, touched, strict=True))):
            found[index] = WRONG_SPAN
        elif any(t and not m for m, t in zip(mine, touched, strict=True)) and not any(
            m and t for m, t in zip(mine, touched, strict=True)
        ):
            found[index] = WRONG_PROPONENT
        else:
            found[index] = SURPLUS
    return found


def mention_tallies(gold: Sequence[Tag], predicted: Sequence[Tag]) -> Tallies:
    """Return the strict and partial tallies of each mention label; partial is any overlap, one to one."""
    tallies: Tallies = {}
    for label in MENTION_LABELS:
        ours = sorted({(tag.start, tag.end) for tag in gold if tag.label == label})
        theirs = sorted({(tag.start, tag.end) for tag in predicted if tag.label == label})
        sizes = (len(ours), len(theirs))
        shared = np.array([[max(0, min(a[1], b[1]) - max(a[0], b[0])) for b in theirs] for a in ours], dtype=float)
        # Any overlap counts alike; its length only settles which of several goes with which.
        weights = np.where(shared > 0, 1 + shared / 1e6, 0.0).reshape(sizes)
        tallies[f"mention.strict/{label}"] = Tally(len(set(ours) & set(theirs)), *sizes)
        tallies[f"mention.partial/{label}"] = Tally(len(assign(weights)), *sizes)
    for kind in ("strict", "partial"):
        parts = [tallies[f"mention.{kind}/{label}"] for label in MENTION_LABELS]
        tallies[f"mention.{kind}"] = sum(parts, Tally())
    return tallies


def link_tallies(prefix: str, gold: Sequence[Holding], predicted: Sequence[Holding]) -> Tallies:
    """Return the tallies of (range, holder) pairs, of each label that occurs."""
    left = list(dict.fromkeys(predicted))
    labels = {item.label for item in (*gold, *predicted)}
    tallies = {f"{prefix}/{label}": Tally(0, 0, sum(item.label == label for item in left)) for label in labels}
    for item in dict.fromkeys(gold):
        place = (item.start, item.end, item.label)
        other = next((o for o in left if (o.start, o.end, o.label) == place and agrees(item.holder, o.holder)), None)
        if other is not None:
            left.remove(other)
        tallies[f"{prefix}/{item.label}"] += Tally(other is not None, 1, 0)
    return tallies


def holder_tallies(
    prefix: str, mentions: Sequence[Tag], gold: Sequence[Holding], predicted: Sequence[Holding]
) -> Tallies:
    """Return the accuracy of the holders of given mentions, of each label.

    A mention is right where it is given to holders of its own and to nobody else, or to nobody where it has none.
    """
    tallies: Tallies = {}
    for tag in mentions:
        place = (tag.start, tag.end, tag.label)
        ours = [item.holder for item in gold if (item.start, item.end, item.label) == place]
        theirs = [item.holder for item in predicted if (item.start, item.end, item.label) == place]
        right = bool(ours) == bool(theirs) and all(any(agrees(o, t) for o in ours) for t in theirs)
        key = f"{prefix}/{tag.label}"
        tallies[key] = tallies.get(key, Tally()) + Tally(right, 1, 1)
    return tallies


def span_tallies(prefix: str, text: str, gold: Sequence[Range], predicted: Sequence[Range]) -> Tallies:
    """Return the tallies of spans alone, whoever speaks: found at overlap 0.5, one to one, and exact."""
    ours, theirs = normalise(text, gold), normalise(text, predicted)
    table = np.zeros((len(ours), len(theirs)))
    for row, a in enumerate(ours):
        for column, b in enumerate(theirs):
            shared = min(a[1], b[1]) - max(a[0], b[0])
            if shared > 0:
                table[row, column] = shared / (max(a[1], b[1]) - min(a[0], b[0]))
    found = [table[pair] for pair in assign(table)]
    sizes = (len(ours), len(theirs))
    return {
        f"{prefix}.overlap": Tally(sum(share >= FOUND for share in found), *sizes),
        f"{prefix}.exact": Tally(len(set(ours) & set(theirs)), *sizes),
    }


def topic_tallies(prefix: str, pairs: Iterable[tuple[Claim, Claim]]) -> Tallies:
    """Return the tallies of topic labels, in all and of each label, over pairs of a gold and a predicted record."""
    tallies: Tallies = {prefix: Tally()}
    for gold, predicted in pairs:
        ours, theirs = set(gold.topics), set(predicted.topics)
        for label in ours | theirs:
            tally = Tally(label in ours and label in theirs, label in ours, label in theirs)
            tallies[prefix] += tally
            tallies[f"{prefix}/{label}"] = tallies.get(f"{prefix}/{label}", Tally()) + tally
    return tallies


def stance_tallies(prefix: str, pairs: Iterable[tuple[Claim, Claim]]) -> Tallies:
    """Return the accuracy of the stance and the tally of each label; another right answer stands in for the gold."""
    tallies: Tallies = {prefix: Tally()}
    for gold, predicted in pairs:
        answer = predicted.stance if stance_right(gold, predicted) else gold.stance
        tallies[prefix] += Tally(answer == predicted.stance, 1, 1)
        for label in {answer, predicted.stance}:
            tally = Tally(answer == predicted.stance, label == answer, label == predicted.stance)
            tallies[f"{prefix}/{label}"] = tallies.get(f"{prefix}/{label}", Tally()) + tally
    return tallies


def topic_confusions(pairs: Iterable[tuple[Claim, Claim]]) -> Mapping[tuple[str, str], int]:
    """Return how often a topic was given for another: (gold, predicted) → count.

    Right ones are on the diagonal; each missed topic goes with each surplus one of the same record, with "-" where
    there is none.
    """
    counts: dict[tuple[str, str], int] = {}
    for gold, predicted in pairs:
        ours, theirs = set(gold.topics), set(predicted.topics)
        cells = [(label, label) for label in ours & theirs]
        if ours != theirs:
            cells += [(a, b) for a in sorted(ours - theirs) or ["-"] for b in sorted(theirs - ours) or ["-"]]
        for cell in cells:
            counts[cell] = counts.get(cell, 0) + 1
    return counts


def stance_confusions(pairs: Iterable[tuple[Claim, Claim]]) -> Mapping[tuple[str, str], int]:
    """Return how often each stance was given for each: (gold, predicted) → count."""
    counts: dict[tuple[str, str], int] = {}
    for gold, predicted in pairs:
        answer = predicted.stance if stance_right(gold, predicted) else gold.stance
        cell = (answer or "-", predicted.stance or "-")
        counts[cell] = counts.get(cell, 0) + 1
    return counts
