"""Gold of any supported format → what the evaluation compares with: claims, mentions, links and statements."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..corpus import SPLITS, AnnotatedArticle, CorpusError, Entity, load_annotated, load_xml, splits_of
from ..formats import FORMATS as IMPORTED
from ..formats import columns_of
from ..formats import guess_format as guess_imported
from ..formats.iob import run_on
from ..people import name_words
from ..schema import MENTION_LABELS, PROPOSAL, REFERENCE, SAYING, Article, Mention
from ..scripts import chinese, whole_words
from .scores import QUOTATION_MARKS, Claim, Holding, Party, Range, Tag, normalise

#: The error buckets of gold records.
LIST, DIRECT, INDIRECT = "list", "direct quote", "indirect quote"
PRONOUN, CROSS, SEVERAL = "pronoun or surname source", "cross-paragraph", "several delegates"
TRAITS = (LIST, DIRECT, INDIRECT, PRONOUN, CROSS, SEVERAL)
FORMATS = ("xml", "coverage", "polnear", "bio")
#: What a set may annotate of its records and links beside who says what; what it does not is not scored.
ASPECTS = ("topics", "stance", "body", "posts", "ROLE → person", "ORG → person", "BODY → person")
#: How the labels of a BIO file map; what is not here is left out.
BIO_LABELS = {
    "person": "PERSON",
    "per": "PERSON",
    "politician": "PERSON",
    "org": "ORG",
    "organisation": "ORG",
    "organization": "ORG",
    "politicalparty": "ORG",
    "role": "ROLE",
    "body": "BODY",
}
_LABEL_END = re.compile(r"(?:[:：]|--+|[—–]|\s-)\s*[\"“「『]?\s*$")
# What ends a sentence, so that the words before it are no label.
_SENTENCE_END = re.compile(r"\. |[。！？]")


class GoldError(ValueError):
    """Gold that can't be read; the message names the file."""


@dataclass(frozen=True)
class Attribution:
    """A stretch of attributed words and where their source is named; nowhere, where it is not."""

    content: Range
    sources: tuple[Range, ...]


@dataclass(frozen=True)
class GoldArticle:
    """An article and what is known to be in it; None where the format does not say.

    `mentions` carry REF too, as the linker gets them; `proposers` are proposal spans with their proponents;
    `bodies` are people with a membership.
    """

    article: Article
    claims: tuple[Claim, ...] | None = None
    mentions: tuple[Tag, ...] | None = None
    holdings: tuple[Holding, ...] = ()
    statements: tuple[Tag, ...] | None = None
    proposers: tuple[Holding, ...] = ()
    bodies: tuple[tuple[Party, str | None], ...] = ()
    attributions: tuple[Attribution, ...] | None = None

    @property
    def linked(self) -> bool:
        """Whether there is enough to give the linker gold mentions and statements."""
        return self.mentions is not None and self.statements is not None and self.claims is not None


@dataclass(frozen=True)
class GoldSet:
    """Annotated articles, the mention labels that they annotate, and what was left out of them, in words.

    `unknown`: those of `ASPECTS` that the set does not annotate.
    """

    name: str
    format: str
    articles: tuple[GoldArticle, ...]
    labels: tuple[str, ...] = MENTION_LABELS
    left_out: tuple[str, ...] = ()
    unknown: frozenset[str] = frozenset()


def load_gold(path: Path, format: str | None = None) -> GoldSet:
    """Return the gold of a file or folder; without a format it is told from what is there.

    Formats: "xml" (a folder of annotated articles), "coverage" (`*.txt` and `gold/*.json`), "polnear" (brat standoff in
    `text/` and `attributions/`), "bio" (a word and its tag a line), and those that `pipeline.corpus` imports. Raises
    `GoldError` for what can't be read.
    """
    if not path.exists():
        raise GoldError(f"{path} does not exist")
    kind = format or guess_format(path)
    loaders: dict[str, Callable[[Path], GoldSet]] = {
        "xml": load_annotated_xml,
        "coverage": load_coverage,
        "polnear": load_polnear,
        "bio": load_bio,
    }
    try:
        found = loaders[kind](path) if kind in loaders else _load_imported(path, kind)
    except CorpusError as error:
        raise GoldError(f"{path}: {error}") from None
    if not found.articles:
        raise GoldError(f"{path}: no article in it is in the format {kind}")
    return replace(found, left_out=(*found.left_out, *_gaps(found)))


def _gaps(found: GoldSet) -> Iterator[str]:
    """Yield how many records lack what others of the set have; they are scored without it."""
    claims = [claim for item in found.articles for claim in item.claims or ()]
    for aspect in ("topics", "stance"):
        lacking = sum(not getattr(claim, aspect) for claim in claims)
        if lacking and aspect not in found.unknown:
            yield f"{aspect} of {lacking} records, and each of these as a whole: not annotated"


def guess_format(path: Path) -> str:
    """Return the format of a file or folder by what it holds; raise `GoldError` where that is not clear."""
    if path.is_dir():
        for kind, pattern in (("coverage", "gold/*.json"), ("xml", "*.xml"), ("polnear", "attributions/*.ann")):
            if any(path.glob(pattern)):
                return kind
    try:
        kind = guess_imported(path)
    except CorpusError:
        kind = ""
    # A tagged file of our own says which text and article its words are of; others have labels that may not be ours.
    if kind == "iob" and path.is_file() and not _decoded(path).startswith("# newdoc id ="):
        return "bio"
    if kind:
        return kind
    raise GoldError(f"{path}: the format is not clear; name it by --format ({', '.join(FORMATS)}, jsonl, …)")


def _load_imported(path: Path, kind: str) -> GoldSet:
    if kind not in IMPORTED:
        raise GoldError(f"{path}: unknown format {kind!r}; one of {', '.join(dict.fromkeys((*FORMATS, *IMPORTED)))}")
    splits = splits_of(path) if path.is_dir() else {}
    if len(splits) > 1:
        raise GoldError(f"{path}: holds several sets; name one: {', '.join(map(str, splits.values()))}")
    try:
        articles = load_annotated(path, kind)
    except CorpusError as error:
        # Labels are mapped where a set is converted, not here.
        raise GoldError(str(error).replace("map one with", "convert it by `twosessions corpus import` with")) from None
    return _as_far_as_annotated(str(path), kind, [from_annotated(item) for item in articles])


def _as_far_as_annotated(name: str, kind: str, articles: Sequence[GoldArticle]) -> GoldSet:
    """Return imported gold; what no article has was not annotated, rather than absent from every one."""
    mentions = any(item.mentions for item in articles)
    statements = any(item.statements for item in articles)
    claims = any(item.claims for item in articles)
    left_out = [
        f"{what}: none is annotated"
        for what, there in (("mentions", mentions), ("statements", statements), ("records", claims))
        if not there
    ]
    kept = tuple(
        replace(
            item,
            mentions=item.mentions if mentions else None,
            statements=item.statements if statements else None,
            claims=item.claims if claims else None,
        )
        for item in articles
    )
    labels = {tag.label for item in articles for tag in item.mentions or ()}
    unknown = [aspect for aspect in ASPECTS if claims and not _annotates(aspect, articles)]
    left_out += [f"{aspect}: none is annotated" for aspect in unknown]
    known_labels = tuple(label for label in MENTION_LABELS if label in labels)
    return GoldSet(name, kind, kept, known_labels, tuple(left_out), frozenset(unknown))


def _annotates(aspect: str, articles: Sequence[GoldArticle]) -> bool:
    """Tell whether any article says something of an aspect of its records, or links a mention of that label."""
    if "→" in aspect:
        return any(holding.label == aspect.split()[0] for item in articles for holding in item.holdings)
    claims = [claim for item in articles for claim in item.claims or ()]
    if aspect == "posts":
        return any(claim.roles or claim.organizations for claim in claims)
    return any(getattr(claim, aspect) for claim in claims)


def load_annotated_xml(path: Path) -> GoldSet:
    """Return the gold of a folder of annotated articles, or of one."""
    splits = [split for split in SPLITS if (path / split).is_dir()]
    if splits and not any(path.glob("*.xml")):
        raise GoldError(f"{path}: holds several sets; name one: {', '.join(str(path / split) for split in splits)}")
    articles = load_xml(path) if path.is_dir() else load_annotated(path, "xml")
    return GoldSet(str(path), "xml", tuple(from_annotated(item) for item in articles))


def from_annotated(annotated: AnnotatedArticle) -> GoldArticle:
    """Return what an annotated article holds as the evaluation compares it.

    Raises `CorpusError` for a statement of somebody who is no entity.
    """
    text = annotated.article.text
    parties = {entity.id: _party(annotated, entity) for entity in annotated.entities}
    for statement in annotated.statements:
        for holder in statement.by:
            if holder not in parties:
                raise CorpusError(
                    f"{annotated.article.id}: the statement at {statement.start} is by {holder!r}, which is no entity"
                )
    people = {entity.id for entity in annotated.entities if entity.kind == "person"}
    proposals = [statement for statement in annotated.statements if statement.n]
    several = len({by for statement in proposals for by in statement.by if by in people}) > 1
    grouped: dict[tuple[str, str], list[int]] = {}
    for index, statement in enumerate(proposals):
        for by in statement.by:
            grouped.setdefault((by, statement.n or ""), []).append(index)
    claims = []
    for (by, _), indexes in grouped.items():
        first = proposals[indexes[0]]
        spans = tuple((proposals[i].start, proposals[i].end) for i in indexes)
        names = [
            (m.start, m.end, m.label != REFERENCE and _full(text[m.start : m.end], parties[by].name))
            for m in annotated.mentions
            if by in m.of and m.label in ("PERSON", "ORG", REFERENCE)
        ]
        claims.append(
            Claim(
                proponent=parties[by],
                spans=spans,
                body=annotated.entity(by).body,
                roles=_texts(annotated, "ROLE", by),
                organizations=_texts(annotated, "ORG", by) if by in people else (),
                topics=first.topics,
                stance=first.stance,
                traits=traits(text, spans, names, annotated.shape == "list", several),
            )
        )
    holders = [
        Holding(m.start, m.end, m.label, parties[of])
        for m in annotated.mentions
        if m.label in ("ROLE", "ORG", "BODY")
        for of in m.of
        if of in people
    ]
    seated = {of for m in annotated.mentions if m.label == "BODY" for of in m.of}
    return GoldArticle(
        article=annotated.article,
        claims=tuple(claims),
        mentions=tuple(Tag(m.start, m.end, m.label) for m in annotated.mentions),
        holdings=tuple(holders),
        statements=tuple(Tag(s.start, s.end, PROPOSAL if s.n else SAYING) for s in annotated.statements),
        proposers=tuple(Holding(s.start, s.end, PROPOSAL, parties[by]) for s in proposals for by in s.by),
        bodies=tuple((parties[e.id], e.body) for e in annotated.entities if e.id in seated and e.id in people),
    )


def _party(annotated: AnnotatedArticle, entity: Entity) -> Party:
    label = "PERSON" if entity.kind == "person" else "ORG"
    aliases = [*_texts(annotated, label, entity.id), *([entity.name_zh] if entity.name_zh else [])]
    return Party(entity.name, entity.kind, tuple(dict.fromkeys(alias for alias in aliases if alias != entity.name)))


def _texts(annotated: AnnotatedArticle, label: str, of: str) -> tuple[str, ...]:
    """Return the texts of the mentions of a label that belong to an entity, each once."""
    text = annotated.article.text
    return tuple(dict.fromkeys(text[m.start : m.end] for m in annotated.mentions if m.label == label and of in m.of))


def _full(words: str, name: str) -> bool:
    """Tell whether a name is more than a surname or a given name, which Chinese writes together."""
    if chinese(name) and chinese(words):
        return name in words
    return len(name_words(words)) >= min(2, len(name_words(name)))


def traits(
    text: str, spans: Sequence[Range], names: Sequence[tuple[int, int, bool]], listed: bool, several: bool
) -> tuple[str, ...]:
    """Return the error buckets of a gold record.

    `names` are the places where its proponent is named, and whether in full; `listed` says that the whole article is a
    list. The manner is one of list ("name: text" at the start of a line, too), direct and indirect quote.
    """
    cleaned = normalise(text, spans) or tuple(spans)
    start, end = cleaned[0]
    line = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end) if "\n" in text[end:] else len(text)
    label = text[line:start]
    quoted = any(
        text[max(a - 1, 0) : a].strip(" ") in tuple(QUOTATION_MARKS)
        or any(mark in text[b : b + 2] for mark in QUOTATION_MARKS)
        for a, b in cleaned
    )
    if listed or (
        len(label) < 250
        and not _SENTENCE_END.search(label)
        and _LABEL_END.search(label)
        and any(n[0] < start for n in names if n[0] >= line)
    ):
        found = [LIST]
    else:
        found = [DIRECT if quoted else INDIRECT]
    near = [n for n in names if line <= n[0] and n[1] <= line_end]
    outside = [n for n in near if n[1] <= start or n[0] >= end] or near
    if outside and not min(outside, key=lambda n: max(n[0] - end, start - n[1]))[2]:
        found.append(PRONOUN)
    if not near or len({text.count("\n", 0, a) for a, _ in cleaned}) > 1:
        found.append(CROSS)
    if several:
        found.append(SEVERAL)
    return tuple(found)


def load_coverage(path: Path) -> GoldSet:
    """Return the gold of a folder of `*.txt` with `gold/<stem>.json`; a text without gold is left out."""
    articles = []
    skipped = []
    for file in sorted(path.glob("*.txt")):
        gold_file = path / "gold" / f"{file.stem}.json"
        if not gold_file.exists():
            skipped.append(f"{file.name}: no gold/{gold_file.name}")
            continue
        text = _decoded(file)
        try:
            gold = json.loads(_decoded(gold_file))
            article = Article(file.stem, text, lang=gold.get("lang"), session_year=gold.get("session_year"))
            claims = tuple(_coverage_claims(text, gold["records"], str(gold_file)))
        except json.JSONDecodeError as error:
            raise GoldError(f"{gold_file}: not JSON: {error}") from None
        except KeyError as error:
            raise GoldError(f"{gold_file}: no {error} in it, or in one of its records") from None
        except (TypeError, AttributeError) as error:
            raise GoldError(f"{gold_file}: not an object with records: {error}") from None
        articles.append(GoldArticle(article, claims))
    skipped.append("mentions, statements and links: the gold has records alone")
    return GoldSet(str(path), "coverage", tuple(articles), (), tuple(skipped))


def _decoded(file: Path) -> str:
    """Return the text of a file with its line ends as they are, for offsets count them."""
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise GoldError(f"{file}: not UTF-8, at byte {error.start}") from None


def _coverage_claims(text: str, records: Iterable[dict[str, Any]], source: str) -> Iterator[Claim]:
    records = list(records)
    several = len({record["proponent"] for record in records}) > 1
    for record in records:
        spans = tuple((span["start"], span["end"]) for span in record["spans"])
        for (start, end), span in zip(spans, record["spans"], strict=True):
            if not 0 <= start < end <= len(text):
                raise GoldError(f"{source}: a span at {start} to {end} lies outside of the text (0 to {len(text)})")
            if "text" in span and text[start:end] != span["text"]:
                raise GoldError(f"{source}: the text at {start} is not {span['text'][:40]!r}")
        if not spans:
            raise GoldError(f"{source}: a record of {record['proponent']} has no span")
        party = Party(record["proponent"], record.get("kind", "person"), tuple(record.get("aliases", ())))
        words = [word for word in party.name.split() if len(word) > 1]
        # A Chinese surname is a character of other words, too.
        short = words[:1] if party.kind == "person" and not chinese(party.name) else []
        # The surname in its own case alone: "Long" is no "long".
        patterns = [f"(?i:{whole_words(re.escape(name))})" for name in (party.name, *party.aliases)]
        patterns += [whole_words(re.escape(name)) for name in short]
        names = [(match.start(), match.end(), match[0] not in short) for match in re.finditer("|".join(patterns), text)]
        yield Claim(
            proponent=party,
            spans=spans,
            body=record.get("body"),
            roles=tuple(record.get("roles", ())),
            organizations=tuple(record.get("organizations", ())),
            topics=tuple(record["topics"]),
            stance=record["stance"],
            stance_also=tuple(record.get("stance_also", ())),
            loose=True,
            traits=traits(text, spans, names, False, several),
        )


def load_polnear(path: Path) -> GoldSet:
    """Return the attributions of a brat standoff folder (PolNeAR): contents and their sources.

    A content in several pieces becomes several statements, as here every span of a statement is one. Left out, and
    counted: contents inside of another (statements do not nest here), texts without annotations, and of a text that
    several people annotated all but the first by name.
    """
    articles = []
    left = Counter[str]()
    texts = sorted(path.glob("text/*.txt"))
    annotations: dict[str, list[Path]] = {}
    for note in sorted(path.glob("attributions/*.ann")):
        # The annotator's name stands behind the text's, which may itself begin like that of another text.
        owners = [file.stem for file in texts if f"{note.stem}_".startswith(f"{file.stem}_")]
        left["annotations without a text"] += not owners
        if owners:
            annotations.setdefault(max(owners, key=len), []).append(note)
    for file in texts:
        notes = annotations.get(file.stem, [])
        if not notes:
            left["texts without annotations"] += 1
            continue
        left["further annotations of a text"] += len(notes) - 1
        text = _decoded(file)
        found = _standoff(_decoded(notes[0]), len(text), str(notes[0]), left)
        outer = [
            item
            for item in found
            if not any(
                other is not item
                and other.content[0] <= item.content[0]
                and item.content[1] <= other.content[1]
                and other.content != item.content
                for other in found
            )
        ]
        left["contents inside of another content"] += len(found) - len(outer)
        outer.sort(key=lambda item: item.content)
        statements = tuple(dict.fromkeys(Tag(*item.content, SAYING) for item in outer))
        article = Article(file.stem, text)
        articles.append(GoldArticle(article, statements=statements, attributions=tuple(outer)))
    left_out = [f"{count} {what}" for what, count in sorted(left.items()) if count]
    left_out.append("cues; everything that only records have (proponents, topics, stance), mentions and links")
    return GoldSet(str(path), "polnear", tuple(articles), (), tuple(left_out))


def _standoff(lines: str, length: int, source: str, left: Counter[str]) -> list[Attribution]:
    places: dict[str, tuple[str, list[Range]]] = {}
    events: list[list[str]] = []
    for number, line in enumerate(lines.splitlines(), 1):
        fields = line.split("\t")
        try:
            if line.startswith("T"):
                label, offsets = fields[1].split(" ", 1)
                pieces = [piece.split() for piece in offsets.split(";")]
                places[fields[0]] = (label, [(int(start), int(end)) for start, end in pieces])
            elif line.startswith("E"):
                events.append([argument.split(":")[1] for argument in fields[1].split()])
        except (IndexError, ValueError):
            raise GoldError(f"{source}: line {number} is not brat standoff: {line[:60]!r}") from None
        if any(not 0 <= start < end <= length for start, end in places.get(fields[0], ("", []))[1]):
            raise GoldError(f"{source}: line {number} points outside of the text (0 to {length}): {line[:60]!r}")
    found = []
    for arguments in events:
        known = [places[argument] for argument in arguments if argument in places]
        sources = tuple(place for label, pieces in known if label == "Source" for place in pieces)
        contents = [place for label, pieces in known if label == "Content" for place in pieces]
        left["attributions without a content"] += not contents
        found += [Attribution(place, sources) for place in contents]
    return found


def load_bio(path: Path) -> GoldSet:
    """Return the mentions of a BIO file (a word, a tab or spaces, its tag; a blank line ends a sentence).

    Each sentence is an article of its own. Labels that map to none of ours are left out, and counted.
    """
    if path.is_dir():
        raise GoldError(f"{path}: bio needs a file")
    left = Counter[str]()
    articles: list[GoldArticle] = []
    lines: list[tuple[str, str]] = []
    # Not splitlines(): U+2028 and the like may be a word of their own.
    for number, line in enumerate([*_decoded(path).split("\n"), ""], 1):
        fields = [] if line.startswith("-DOCSTART-") or not line.strip() else columns_of(line)
        if fields and (len(fields) < 2 or not fields[0].strip(" ")):
            what = "tag" if len(fields) < 2 else "word"
            raise GoldError(f"{path}: line {number} has no {what}: {line[:60]!r}")
        if fields:
            lines.append((fields[0], fields[-1]))
        elif lines:
            articles.append(_sentence(f"{path.stem}-{len(articles) + 1}", lines, left))
            lines = []
    labels = {tag.label for article in articles for tag in article.mentions or ()}
    left_out = [f"{count} mentions of {label!r}" for label, count in sorted(left.items())]
    left_out.append("everything but mentions")
    return GoldSet(str(path), "bio", tuple(articles), tuple(x for x in MENTION_LABELS if x in labels), tuple(left_out))


def _sentence(name: str, lines: Sequence[tuple[str, str]], left: Counter[str]) -> GoldArticle:
    text = ""
    spans: list[tuple[int, int, str]] = []
    for word, tag in lines:
        before = len(text)
        text += "" if not text or run_on(text, word) else " "
        place, _, label = tag.partition("-")
        if place in ("I", "E", "M", "L") and spans and spans[-1][2] == label and spans[-1][1] == before:
            spans[-1] = (spans[-1][0], len(text) + len(word), label)
        elif label:
            spans.append((len(text), len(text) + len(word), label))
        text += word
    tags = [Tag(a, b, BIO_LABELS[label.lower()]) for a, b, label in spans if label.lower() in BIO_LABELS]
    left.update(label for _, _, label in spans if label.lower() not in BIO_LABELS)
    return GoldArticle(Article(name, text), mentions=tuple(tags))


def as_mentions(text: str, tags: Iterable[Tag], scores: dict[str, float] | None = None) -> list[Mention]:
    """Return tags as the mentions that a stage would have left; `scores` gives those of labels that are not certain."""
    known = scores or {}
    return [Mention(t.start, t.end, text[t.start : t.end], t.label, known.get(t.label, 1.0)) for t in tags]
