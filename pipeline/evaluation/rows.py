"""The figures in the order in which people read them, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ..evaluate import Report
from ..schema import MENTION_LABELS, STANCES
from .gold import TRAITS
from .intervals import Estimate, Measure, Tally
from .outcomes import Outcome
from .scores import Claim, posts_right, stance_right


@dataclass(frozen=True)
class Row:
    """A figure by its name, its interval and its counts; precision and recall where it is an F1 of found things."""

    group: str
    name: str
    measure: Measure
    estimate: Estimate
    precision: float | None
    recall: float | None
    tally: Tally | None


_LINKED = {"ROLE": "post", "ORG": "organization", "BODY": "membership"}
# group, name, key, and what is shown of it: f1 with precision and recall, an accuracy, or a macro mean.
_LAYOUT: tuple[tuple[str, str, str, str], ...] = (
    ("Attribution", "Records, overlap ≥ 0.5", "attribution.overlap", "f1"),
    ("Attribution", "Records, exact", "attribution.exact", "f1"),
    ("Attribution", "Characters with their proponent", "attribution.characters", "f1"),
    ("Attribution", "Proponents", "proponent", "f1"),
    ("Attribution", "Body of found records", "body.predicted", "accuracy"),
    ("Attribution", "Whole record", "record.whole", "f1"),
    ("Attribution", "Whole record, core", "record.core", "f1"),
    *(
        ("Mentions", f"{label or 'all'}, {kind}", f"mention.{kind}" + (f"/{label}" if label else ""), "f1")
        for kind in ("strict", "partial")
        for label in (*MENTION_LABELS, "")
    ),
    ("Statements", "Statements, overlap ≥ 0.5", "span.predicted.statement.overlap", "f1"),
    ("Statements", "Statements, exact", "span.predicted.statement.exact", "f1"),
    ("Statements", "Proposals, overlap ≥ 0.5", "span.predicted.proposal.overlap", "f1"),
    ("Statements", "Statements, gold mentions", "span.gold.statement.overlap", "f1"),
    ("Statements", "Proposals, gold mentions", "span.gold.proposal.overlap", "f1"),
    ("Statements", "Sources of statements", "source", "f1"),
    *(("Links", f"{word} → person, predicted", f"link.predicted/{label}", "f1") for label, word in _LINKED.items()),
    *(("Links", f"{word} → person, gold mentions", f"link.gold/{label}", "f1") for label, word in _LINKED.items()),
    *(("Links", f"{word} → person or nobody, gold", f"holder.gold/{key}", "accuracy") for key, word in _LINKED.items()),
    ("Links", "Body of a member, gold mentions", "body.gold", "accuracy"),
    ("Links", "Proposal → proponent, gold", "proposer.accuracy", "accuracy"),
    ("Links", "Proposal → proponent, gold", "proposer.gold", "f1"),
    ("Topics", "micro, gold spans", "topic.gold", "f1"),
    ("Topics", "macro, gold spans", "topic.gold", "macro"),
    ("Topics", "micro, found records", "topic.predicted", "f1"),
    ("Topics", "macro, found records", "topic.predicted", "macro"),
    ("Stance", "accuracy, gold spans", "stance.gold", "accuracy"),
    ("Stance", "macro F1, gold spans", "stance.gold", "macro"),
    *(("Stance", f"{label}, gold spans", f"stance.gold/{label}", "f1") for label in STANCES),
    ("Stance", "accuracy, found records", "stance.predicted", "accuracy"),
    ("Stance", "macro F1, found records", "stance.predicted", "macro"),
)  # fmt: skip
#: What two of the names mean, for where they are shown; they follow `scores.whole_right` and `scores.core_right`.
NOTES = {
    "record.whole": "Whole record: found (overlap ≥ 0.5, right proponent), and its body, posts, organizations, topics "
    "and stance are all right.",
    "record.core": "Whole record, core: found, and its body and stance are right, with one of its topics at least "
    "(however many are missed) and one wrong one at most; posts are not asked for.",
}
_KINDS = {"f1": "F1", "accuracy": "accuracy", "macro": "macro F1"}
# What of a record the last stage does not say.
_CLASSES_ALONE = frozenset({"body", "posts"})
#: The figures by which systems are compared.
HEADLINES = (
    "attribution.overlap:f1", "attribution.exact:f1", "attribution.characters:f1", "proponent:f1", "record.whole:f1",
    "record.core:f1", "mention.strict/PERSON:f1", "mention.strict/ROLE:f1", "mention.strict/ORG:f1",
    "mention.strict/BODY:f1", "span.predicted.statement.overlap:f1", "span.gold.proposal.overlap:f1", "source:f1",
    "link.gold/ROLE:f1", "link.gold/ORG:f1", "link.gold/BODY:f1", "body.gold:f1", "proposer.accuracy:f1",
    "topic.gold:f1", "topic.gold:macro", "topic.predicted:f1", "stance.gold:f1", "stance.gold:macro",
    "stance.predicted:f1",
)  # fmt: skip


def rows(report: Report) -> Iterator[Row]:
    """Yield the figures that were measured."""
    for group, name, key, shown in _LAYOUT:
        measure = Measure(key, "macro" if shown == "macro" else "f1")
        found = report.figures.get(measure)
        if found is None or (found.value is None and not report.counts.total(key).predicted):
            continue
        split = shown == "f1"
        yield Row(
            group,
            f"{name}: {_KINDS[shown]}" if shown == "f1" else name,
            measure,
            found,
            report.value(key, "precision") if split else None,
            report.value(key, "recall") if split else None,
            None if shown == "macro" else report.counts.total(key),
        )


def notes(report: Report) -> list[str]:
    """Return what the names among the figures mean that don't say it themselves."""
    shown = {row.measure.key for row in rows(report)}
    return [note for key, note in NOTES.items() if key in shown]


def headlines(report: Report) -> list[Row]:
    """Return the rows by which systems are compared."""
    return [row for row in rows(report) if row.measure.name in HEADLINES]


def buckets(report: Report) -> list[tuple[str, Estimate, Tally]]:
    """Return the recall of each error bucket of gold records that occurs."""
    found = []
    for trait in TRAITS:
        measure = Measure(f"bucket/{trait}", "recall")
        if measure in report.figures:
            found.append((trait, report.figures[measure], report.counts.total(measure.key)))
    return found


def topic_rows(report: Report) -> list[tuple[str, Estimate, Tally]]:
    """Return the F1 of each topic on gold spans, the most frequent first."""
    keys = [key for key in report.counts.keys if key.startswith("topic.gold/")]
    found = [(key.split("/")[1], report.figures[Measure(key)], report.counts.total(key)) for key in keys]
    return sorted(found, key=lambda row: -row[2].gold)


def wrong_labels(outcome: Outcome) -> Iterator[tuple[Claim, list[str]]]:
    """Yield the gold records with wrong labels and what is wrong: the found ones, or where none was to be found those
    that the last stage was given, which says nothing of bodies and posts.
    """
    pairs, unknown = (outcome.pairs, outcome.unknown) if outcome.gold else (outcome.on_gold, _CLASSES_ALONE)
    for gold, predicted in pairs:
        wrong = label_errors(gold, predicted, outcome.unknown | unknown)
        if wrong:
            yield gold, wrong


def label_errors(gold: Claim, predicted: Claim, unknown: Collection[str] = ()) -> list[str]:
    """Return in words what is wrong about a found record.

    `unknown` aspects of the gold are not asked for, nor are topics or a stance that the gold record does not have.
    """
    found = []
    if "body" not in unknown and gold.body != predicted.body:
        found.append(f"body: {predicted.body or 'none'}, not {gold.body or 'none'}")
    if "posts" not in unknown and not posts_right(gold, predicted):
        found.append(f"posts: {_posts(predicted)}, not {_posts(gold)}")
    if "topics" not in unknown and gold.topics and set(gold.topics) != set(predicted.topics):
        missed, surplus = set(gold.topics) - set(predicted.topics), set(predicted.topics) - set(gold.topics)
        words = [*(f"+{label}" for label in sorted(surplus)), *(f"-{label}" for label in sorted(missed))]
        found.append("topics: " + " ".join(words))
    if "stance" not in unknown and gold.stance and not stance_right(gold, predicted):
        found.append(f"stance: {predicted.stance}, not {gold.stance}")
    return found


def _posts(claim: Claim) -> str:
    return "; ".join((*claim.roles, *claim.organizations)) or "none"
