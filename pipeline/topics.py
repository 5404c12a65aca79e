"""The topics with what they mean, from `configs/topics.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .resources import resource

#: Major topics of the Comparative Agendas Project's master codebook (comparativeagendas.net/pages/master-codebook);
#: 99 stands for "other", as in the project's media datasets.
CAP_MAJORS = {
    1: "Macroeconomics",
    2: "Civil Rights",
    3: "Health",
    4: "Agriculture",
    5: "Labor",
    6: "Education",
    7: "Environment",
    8: "Energy",
    9: "Immigration",
    10: "Transportation",
    12: "Law and Crime",
    13: "Social Welfare",
    14: "Housing",
    15: "Domestic Commerce",
    16: "Defense",
    17: "Technology",
    18: "Foreign Trade",
    19: "International Affairs",
    20: "Government Operations",
    21: "Public Lands",
    23: "Culture",
    99: "Other",
}


@dataclass(frozen=True)
class Topic:
    """A topic label, what it means, and its Comparative Agendas Project major code (None where nobody gave one)."""

    label: str
    definition: str | None
    cap_major: int | None


def topic_table(path: Path | None = None) -> tuple[Topic, ...]:
    """Return the topics of a config, by default the shipped one, in its order.

    Raises `ValueError` that names the topic for a `cap_major` that is no code of the project.
    """
    table = tomllib.loads((path or resource("configs", "topics.toml")).read_text(encoding="utf-8"))
    return tuple(_topic(label, entry) for label, entry in table.items())


def _topic(label: str, entry: dict[str, Any]) -> Topic:
    code = entry.get("cap_major")
    if code is not None and code not in CAP_MAJORS:
        known = ", ".join(map(str, CAP_MAJORS))
        raise ValueError(
            f"topic {label}: cap_major {code!r} is no major code of the Comparative Agendas Project: {known}"
        )
    return Topic(label, entry.get("definition"), code)
