"""A report → the files of its folder, as text: the page, its style and scripts, the tables, and each article."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..report import Report, Split, by_body, by_topic, by_topic_and_year, by_year, distinct
from ..schema import BODIES, STANCES, Record
from ..topics import topic_table
from .marks import article_marks

HERE = Path(__file__).parent
PAGE, TABLES = "index.html", "data.js"
#: Files that are the same in every report.
FIXED = ("style.css", "core.js", "tables.js", "article.js", "app.js")
#: The order of drawing: `both` stands between the two that it joins.
DRAWN = ("regulate", "both", "promote", "neither")
#: In the page's head; `folder` knows by it what it may replace.
GENERATOR = "twosessions report"

# Characters that are not seen but change what is: bidi and other controls, zero-width, tags. `core.js` has the same.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """Return a text with each hidden control character as a mark that names it."""
    return _HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def script_json(value: Any) -> str:
    """Return JSON that is safe wherever a script may stand: plain ASCII, without what could end the script."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def fixed_files() -> Iterator[tuple[str, str]]:
    """Yield the files that are the same in every report, with their names."""
    for name in FIXED:
        yield name, (HERE / name).read_text(encoding="utf-8")


def report_files(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the page and the tables of a report, with their names."""
    yield PAGE, index_page(report)
    # A string that is parsed is quicker than the same tables as a script.
    yield TABLES, f"TwoSessions.data = JSON.parse({json.dumps(script_json(tables(report)))});\n"


def article_file(article_id: str, text: str, records: Iterable[Record]) -> str:
    """Return the script that hands an article's text and marks to the page."""
    return f"TwoSessions.receive({script_json(article_marks(article_id, text, records))});\n"


def tables(report: Report) -> dict[str, Any]:
    """Return the rows that the page filters and sorts, as short as they can be; `app.js` reads them by position."""
    topics = list(by_topic(report))
    sources = {source.id: at for at, source in enumerate(report.sources)}
    people = {person.id: at for at, person in enumerate(report.people)}
    entries = {entry.id: at for at, entry in enumerate(report.entries)}
    return {
        "topics": topics,
        "stances": list(STANCES),
        "drawn": list(DRAWN),
        "articles": [
            [s.id, s.file, s.title, s.outlet, s.url, s.published, s.lang] for s in report.sources
        ],
        "delegates": [
            [p.id, p.name, p.name_zh, p.kind, p.bodies, p.organizations, p.titles] for p in report.people
        ],
        "records": [
            [
                e.id, sources[e.source], people[e.person], e.body, e.year, [topics.index(topic) for topic in e.topics],
                STANCES.index(e.stance), round(e.promote, 3), round(e.regulate, 3), round(e.score, 3),
                entries.get(e.same_as, at), e.text,
            ]
            for at, e in enumerate(report.entries)
        ],
    }  # fmt: skip


def index_page(report: Report) -> str:
    """Return the page: the overview and the runs in full, and the frames of the tables."""
    years = by_year(report)
    topics = by_topic(report)
    grid = by_topic_and_year(report)
    total = Split(tuple(sum(1 for e in report.entries if e.stance == stance) for stance in STANCES))
    return (
        _environment()
        .get_template("index.html")
        .render(
            report=report,
            generator=GENERATOR,
            stances=DRAWN,
            bodies=BODIES,
            total=total,
            years=years,
            topics=topics,
            grid=grid,
            seats=by_body(report),
            distinct=distinct(report),
            definitions={topic.label: topic.definition for topic in topic_table()},
            widest=max((split.total for split in topics.values()), default=0),
            highest=max((split.total for split in years.values()), default=0),
            largest=max((split.total for split in grid.values()), default=0),
            outlets=len({source.outlet for source in report.sources if source.outlet}),
            heard=sum(1 for source in report.sources if source.records),
            parts=parts,
            words=words,
            query=query,
            empty=Split(),
        )
    )


def parts(split: Split, scale: int) -> list[dict[str, Any]]:
    """Return the pieces of a stacked bar, as percentages of a bar that is `scale` records long."""
    found, at = [], 0
    for stance in DRAWN:
        count = split.of(stance)
        if count and scale:
            found.append({"stance": stance, "count": count, "at": _percent(at, scale), "size": _percent(count, scale)})
        at += count
    return found


def _percent(count: int, scale: int) -> float:
    return round(100 * count / scale, 3)


def words(split: Split) -> str:
    """Return a split in words, for those who hear the page: "3 records: 1 regulate, 2 promote"."""
    counts = ", ".join(f"{split.of(stance)} {stance}" for stance in DRAWN if split.of(stance))
    return f"{split.total} record{'' if split.total == 1 else 's'}" + (f": {counts}" if counts else "")


def query(view: str, **filters: Any) -> str:
    """Return the address of a filtered table inside the page; None as a value stands for "none given"."""
    values = {name: "none" if value is None else value for name, value in filters.items()}
    return f"#{view}?{urlencode(values)}"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Everything that a template prints passes here, before it is escaped.
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["moment"] = lambda value: str(value).replace("T", " ").replace("+00:00", " UTC")
    environment.filters["models"] = _models
    return environment


def _models(models: Mapping[str, str]) -> str:
    return ", ".join(f"{lang}: {digest}" for lang, digest in sorted(models.items())) or "none"
