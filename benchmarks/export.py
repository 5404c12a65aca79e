"""Time and memory of each export of a large synthetic store; each is read back and compared.

    python benchmarks/export.py [--records 100000] [--only csv ...] [--postgres URL]

Prints a Markdown table. Without `--postgres`, a server of Debian's package is started for the test, where there is one.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipeline import tables
from pipeline.export import TARGETS, exportable
from pipeline.exporters.to_postgres import postgres_url
from pipeline.schema import stable_hash
from pipeline.store import open_store
from pipeline.topics import topic_table
from pipeline.views import RELATIONS

ROOT = Path(__file__).parent.parent
RECORDS_PER_ARTICLE = 2.5
csv.field_size_limit(10**9)

_WORDS = [
    *("the", "deputy", "proposed", "that", "a", "law", "on", "data", "security", "should", "protect", "consumers"),
    *("while", "pilots", "of", "blockchain", "and", "digital", "currency", "go", "on", "in", "more", "cities,", "said"),
    *("members", "of", "the", "committee", "who", "called", "for", "standards,", "funding", "and", "supervision"),
    *("“innovation", "needs", "room”,", "数字经济", "=SUM(A1)", '"quoted"', "platforms;\n", "words."),
]


def build_store(url: str, records: int) -> None:
    """Fill a new store with synthetic records, with as many articles, names and posts as such coverage would have."""
    chance = random.Random(5)
    labels = [topic.label for topic in topic_table()]
    articles = int(records / RECORDS_PER_ARTICLE)
    names = [f"Delegate {number}" for number in range(records // 5)]
    engine = open_store(url)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in tables.metadata.tables}
    rows["run"] = [
        {"id": number, "started": "2026-03-05T00:00:00+00:00", "finished": "2026-03-05T01:00:00+00:00",
         "pipeline": "0.1.0", "models": json.dumps({"en": "sha256"}), "articles": articles // 2, "unchanged": 0}
        for number in (1, 2)
    ]  # fmt: skip
    rows["outlet"] = [{"id": f"outlet{number}", "name": f"Outlet {number}"} for number in range(200)]
    rows["organization"] = [{"id": f"org{number}", "name": f"Organization {number}"} for number in range(5_000)]
    rows["delegate"] = [
        {"id": stable_hash(name), "kind": "person", "name": name, "name_zh": "代表" if number % 3 else None,
         "name_key": name.lower()}
        for number, name in enumerate(names)
    ]  # fmt: skip
    with engine.begin() as connection:
        for name in ("run", "outlet", "organization", "delegate"):
            connection.execute(tables.metadata.tables[name].insert(), rows.pop(name))
        made = 0
        for number in range(articles):
            key, year = f"article-{number}", 2014 + number % 12
            text = " ".join(chance.choices(_WORDS, k=600))
            rows["article"].append(
                {"id": key, "outlet_id": f"outlet{number % 200}", "title": f"Headline {number}", "url": None,
                 "published": f"{year}-03-05", "lang": "en", "session_year": year, "text": text,
                 "text_hash": stable_hash(text), "provenance_hash": "p", "run_id": 1 + number % 2}
            )  # fmt: skip
            here = records - made if number == articles - 1 else 2 + number % 2
            who = chance.sample(names, here)
            for place in range(here):
                made += 1
                _record(rows, chance, labels, key, year, text, stable_hash(who[place]), place, made)
            if number % 2_000 == 1_999 or number == articles - 1:
                for table in tables.metadata.sorted_tables:
                    if rows.get(table.name):
                        connection.execute(table.insert(), rows[table.name])
                        rows[table.name] = []
    engine.dispose()


def _record(
    rows: dict[str, list[dict[str, Any]]],
    chance: random.Random,
    labels: list[str],
    article: str,
    year: int,
    text: str,
    delegate: str,
    place: int,
    number: int,
) -> None:
    start = 10 + 400 * place
    key = stable_hash("record", number)
    promote, regulate = round(chance.random(), 6), round(chance.random(), 6)
    stance = "both" if min(promote, regulate) > 0.5 else "promote" if promote > regulate else "regulate"
    rows["proposal"].append(
        {"id": key, "proposal_id": stable_hash("proposal", number), "same_as": key, "article_id": article,
         "delegate_id": delegate, "text": text[start : start + 250], "stance": stance, "promote": promote,
         "regulate": regulate, "score": chance.random(), "delegate_score": chance.random()}
    )  # fmt: skip
    for rank, label in enumerate(chance.sample(labels, 1 + number % 2)):
        rows["proposal_topic"].append({"proposal_id": key, "topic": label, "rank": rank, "score": chance.random()})
    rows["span"].append({"proposal_id": key, "start": start, "end": start + 250})
    seat = {"delegate_id": delegate, "article_id": article}
    rows["membership"].append({**seat, "body": ("NPC", "CPPCC")[number % 2], "session_year": year})
    rows["post"].append(
        {**seat, "start": start, "end": start + 8, "role": "chairman", "organization_id": f"org{number % 5000}"}
    )
    rows["mention"] += [{**seat, "start": start + at, "end": start + at + 10} for at in (0, 60)]


def checksum(rows: Iterable[Iterable[Any]]) -> tuple[int, int]:
    """Return how many rows there are and a sum of their hashes, whatever their order."""
    count = total = 0
    for row in rows:
        count += 1
        total += int.from_bytes(hashlib.blake2b(repr(tuple(row)).encode(), digest_size=16).digest(), "big")
    return count, total % 2**128


def measured(arguments: list[str], note: Path) -> tuple[float, float, float]:
    """Run `twosessions`; return its seconds, its seconds of processor time and its peak memory in MB."""
    began = time.perf_counter()
    # The peak that wait4 gives would count the parent's memory, which a child shares until it is another program.
    process = subprocess.Popen([sys.executable, "-c", _RUN, str(note), *arguments], stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"{' '.join(arguments)}: exit status {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_utime + usage.ru_stime, int(note.read_text()) / 1024


_RUN = """
import sys
from pathlib import Path
note = sys.argv.pop(1)
try:
    from pipeline.cli import main
    main()
finally:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    Path(note).write_text(status["VmHWM"].split()[0])
"""


def read_csv(place: Path, name: str) -> Iterator[list[Any]]:
    """Yield the rows of an exported CSV file, typed as its data package says."""
    package = json.loads((place / "datapackage.json").read_text(encoding="utf-8"))
    (entry,) = (resource for resource in package["resources"] if resource["name"] == name)
    kinds: list[Callable[[str], Any]] = [
        {"string": str, "integer": int, "number": float}[column["type"]] for column in entry["schema"]["fields"]
    ]
    with (place / entry["path"]).open(encoding="utf-8", newline="") as stream:
        lines = csv.reader(stream)
        next(lines)
        for line in lines:
            yield [None if cell == "" else kind(cell) for kind, cell in zip(kinds, line, strict=True)]


def read_parquet(place: Path, name: str) -> Iterator[list[Any]]:
    """Yield the rows of an exported Parquet file."""
    import pyarrow.parquet

    for batch in pyarrow.parquet.ParquetFile(place / f"{name}.parquet").iter_batches(5_000):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def read_database(url: str, name: str) -> Iterator[Any]:
    """Yield the rows of a table or view of an exported database."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        query = sa.text(f'SELECT * FROM "{name}"')
        yield from connection.execution_options(yield_per=2_000).execute(query)
    engine.dispose()


def read_duckdb(place: Path, name: str) -> Iterator[Any]:
    """Yield the rows of a table or view of an exported DuckDB file."""
    import duckdb

    with duckdb.connect(str(place), read_only=True) as connection:
        result = connection.execute(f'SELECT * FROM "{name}"')
        while rows := result.fetchmany(2_000):
            yield from rows


def main() -> None:
    """Build the store, run each export in a process of its own, compare, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--only", nargs="*", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--postgres", help="the address of an empty database")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twosessions-bench-")))
        if "postgres" in options.only and not options.postgres:
            sys.path.insert(0, str(ROOT / "tests"))
            from postgres_server import postgres_server

            options.postgres = stack.enter_context(postgres_server())
        url = f"sqlite:///{folder / 'store.db'}"
        began = time.perf_counter()
        build_store(url, options.records)
        size = (folder / "store.db").stat().st_size / 1e6
        print(f"store: {options.records} records, {size:.0f} MB, made in {time.perf_counter() - began:.0f} s\n")
        engine = open_store(url)
        with exportable(engine) as source:
            wanted = {
                relation.name: checksum(row for batch in source.batches(relation) for row in batch)
                for relation in RELATIONS
            }
            records = checksum((json.dumps(record.to_dict(), ensure_ascii=False),) for record in source.records())
        print("| target | seconds | processor seconds | peak memory, MB | size, MB | reads back equal |")
        print("|---|---|---|---|---|---|")
        places = {"jsonl": "out.jsonl", "csv": "csv", "parquet": "parquet", "duckdb": "out.duckdb", "sqlite": "out.db"}
        readers: dict[str, Callable[[Path, str], Iterator[Any]]] = {
            "csv": read_csv,
            "parquet": read_parquet,
            "duckdb": read_duckdb,
            "sqlite": lambda place, name: read_database(f"sqlite:///{place}", name),
            "postgres": lambda _, name: read_database(postgres_url(options.postgres), name),
        }
        for target in options.only:
            place = folder / places.get(target, "")
            address = options.postgres if target == "postgres" else str(place)
            arguments = ["export", "--to", target, address, "--store", url]
            seconds, processor, memory = measured(arguments, folder / "memory")
            if target == "jsonl":
                with place.open(encoding="utf-8", newline="\n") as stream:
                    equal = checksum((line.rstrip("\n"),) for line in stream) == records
            else:
                equal = all(checksum(readers[target](place, name)) == found for name, found in wanted.items())
            files = [place] if place.is_file() else list(place.iterdir()) if target != "postgres" else []
            size = sum(file.stat().st_size for file in files) / 1e6
            figures = f"{seconds:.1f} | {processor:.1f} | {memory:.0f} | {size:.0f}"
            print(f"| {target} | {figures} | {'yes' if equal else 'NO'} |", flush=True)
        engine.dispose()


if __name__ == "__main__":
    main()
