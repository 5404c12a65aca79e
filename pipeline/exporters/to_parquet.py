"""Parquet: a folder with one file a table and view, and `datapackage.json`."""

from __future__ import annotations

from pathlib import Path

from ..views import RELATIONS
from .arrow import arrow_batches, arrow_schema
from .atomic import whole_folder
from .data_package import refuse_other_folder, resource, write_package
from .libraries import library
from .source import Source

_NOTE = "One Parquet file a table and view, compressed with Zstandard; columns carry their meaning as metadata."


def export_parquet(source: Source, destination: str) -> None:
    """Write every table and view to a folder, in place of an earlier export there."""
    arrow, parquet = library("pyarrow", "parquet"), library("pyarrow.parquet", "parquet")
    with whole_folder(Path(destination), refuse_other_folder) as folder:
        resources = []
        for relation in RELATIONS:
            path = folder / f"{relation.name}.parquet"
            options = {"compression": "zstd", "write_page_checksum": True}
            with parquet.ParquetWriter(path, arrow_schema(arrow, relation), **options) as writer:
                for batch in arrow_batches(arrow, source, relation):
                    writer.write_table(batch)
            resources.append(
                resource(relation, path, typed=True, format="parquet", mediatype="application/vnd.apache.parquet")
            )
        write_package(folder, resources, source.selection, _NOTE)
