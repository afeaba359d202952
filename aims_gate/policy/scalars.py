"""Strict parsers of the words and numbers in a policy.

A parser returns the value, or raises an error whose text completes the sentence "KEY …".
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from typing import Any

from aims_gate.documents.keys import (
    DIGEST,
    NAME,
    VERSION,
    as_number,
    as_text,
    as_words,
    describe,
    refuse,
    shaped,
)
from aims_gate.documents.roots import as_store_uri
from aims_gate.documents.store_uris import parse_allowed, parse_place
from aims_gate.errors import near

OUTCOMES = (
    *("PASS", "WARN", "FAIL", "INSUFFICIENT", "MISSING", "STALE", "ERROR", "WAIVED"),
    "NOT_APPLICABLE",
)
"""The outcomes of `aims_gate.verdict.Outcome`, which is in a higher layer (a test compares)."""
TYPES = ("number", "boolean", "text", "time")
DECISIONS = ("passed", "refused", "undecided")

RULE_ID = r"[A-Z][A-Z0-9]*-[0-9]+"
PIN = rf"({NAME})@({VERSION})"
PARENT = r"(file:|git\+https:)\S.*"
FOLDER = r"[A-Za-z0-9._][A-Za-z0-9._/-]*"
PINNED = rf"git\+https://[^@#\s]+@([0-9a-f]{{40}}|[0-9a-f]{{64}})#{FOLDER}"
TABLE = r"[A-Za-z_][A-Za-z0-9_$-]{0,254}(\.[A-Za-z_][A-Za-z0-9_$-]{0,254}){0,2}"
"""A table, with its schema and catalog before it where they are not the connection's own."""
SCORES = "assessments"
SOURCES = ("artifact", "file", "dataset", "context", SCORES)
STORES = ("s3", "gs", "abfss")
SCORER_HINT = "write sha256: and 64 hexadecimal digits in lower case, as MLflow logs it"


def as_pin(value: object) -> str:
    """Read `NAME@VERSION`."""
    written = as_text(value)
    if re.fullmatch(NAME, written):
        raise refuse("must be pinned", f"add its version: {written}@VERSION")
    return shaped(written, PIN, "must be NAME@VERSION", "such as release@1.1.0")


def as_scalar(value: object) -> str | int | float | bool:
    """Read a label: text, a number or a truth value."""
    if isinstance(value, float) and not math.isfinite(value):
        raise refuse(f"must be a finite number, not {value}")
    if not isinstance(value, (str, int, float)):
        raise refuse(f"must be a label, not {describe(value)}", "such as 1, true or 'yes'")
    return as_text(value) if isinstance(value, str) else value


def as_folder(value: object) -> str:
    """Read a folder, from that of the policy."""
    return shaped(value, FOLDER, "must be a folder, from that of the policy", "such as aims/")


def as_folder_or_git(value: object) -> str:
    """Read a folder, or one of a git repository at a full commit id, which pins all of it."""
    if not isinstance(value, str) or not value.startswith("git+"):
        return as_folder(value)
    hint = "write git+https://HOST/REPOSITORY@COMMIT#FOLDER with the full id of the commit"
    return shaped(value, PINNED, "is not pinned to a commit", hint)


def as_source(value: object) -> str:
    """Read where data lie: in a run, in the policy's folder, or in an object store."""
    written = as_text(value)
    kind, _, rest = written.partition(":")
    if kind in STORES:
        return as_store_uri(written, parse_place)
    if kind not in SOURCES or not rest.strip():
        known = ", ".join(f"{name}:" for name in SOURCES)
        hint = f"or in {', '.join(f'{name}://' for name in STORES)}, where sources.allow permits"
        if kind == "table":
            hint = "a table in an engine is named by table: and connection:, without source:"
        raise refuse(f"must begin with {known} and name something, not {describe(value)}", hint)
    if kind == SCORES:
        _, pin = parse_scorer(rest)
        if pin and not is_scorer_digest(pin):
            raise refuse(f"pins a scorer by {describe(pin)}", SCORER_HINT)
    return written


def parse_scorer(text: str) -> tuple[str, str]:
    """Split `SCORER@sha256:…` into the scorer's name and its digest, empty if it is not pinned."""
    name, at, digest = text.rpartition("@sha256:")
    return (name, f"sha256:{digest}") if at else (text, "")


def is_scorer_digest(text: str) -> bool:
    """Tell whether MLflow can have written *text* as the digest of a scorer."""
    return re.fullmatch(f"sha256:{DIGEST}", text) is not None


def as_allowed(value: object) -> list[str]:
    """Read an allow-list: prefixes of URIs in their normal form, which end at a folder."""
    if not isinstance(value, list):
        raise refuse(f"must be a list, not {describe(value)}", "such as [s3://bucket/eval/]")
    found = [as_store_uri(as_text(item), parse_allowed) for item in value]
    if len(set(found)) < len(found):
        raise refuse("names something twice")
    return found


def as_columns(value: object) -> dict[str, tuple[float, ...] | None]:
    """Read protected attributes: a list of columns, or each column with its bin edges or null."""
    if isinstance(value, list):
        names = [as_text(item) for item in value]
        if len(set(names)) < len(names):
            raise refuse("names a column twice")
        found: dict[str, tuple[float, ...] | None] = dict.fromkeys(names)
    elif isinstance(value, Mapping):
        found = {as_text(name): _edges(name, edges) for name, edges in value.items()}
    else:
        raise refuse(f"must be a list of columns, not {describe(value)}", "such as [sex, race]")
    if not found:
        raise refuse("names no column", "leave it out if there is none")
    return found


def as_types(value: object) -> dict[str, str]:
    """Read what columns hold, each with one word."""
    if not isinstance(value, Mapping) or not value:
        raise refuse(f"must name columns, not {describe(value)}", "such as {zip: text}")
    for name, word in value.items():
        if word not in TYPES:
            raise refuse(f"{name} must be {', '.join(TYPES)}, not {describe(word)}")
    return {as_text(name): word for name, word in value.items()}


def as_score(value: object) -> str | dict[str, str]:
    """Read a column of scores, or one column per class."""
    if not isinstance(value, Mapping):
        return as_text(value)
    if len(value) < 2:
        raise refuse("must name a column for each of at least two classes")
    columns = {str(label): as_text(column) for label, column in value.items()}
    if len(set(columns.values())) < len(columns):
        raise refuse("names one column for two classes")
    return columns


def as_families(value: object) -> list[list[str]]:
    """Read lists of rule ids, one for each policy whose rules share its alpha."""
    if not isinstance(value, list) or not value:
        raise refuse("must be lists of rules", "such as [[PERF-01, BIAS-02]]")
    return [as_words(ids) for ids in value]


def as_stages(value: object) -> list[str]:
    """Read the names of stages."""
    hint = "stages are letters, digits, '.', '_' and '-'"
    return [shaped(word, NAME, "must name stages", hint) for word in as_words(value)]


def as_range(value: object) -> tuple[float, float]:
    """Read `[a, b]` with a <= b."""
    if not isinstance(value, list) or len(value) != 2:
        raise refuse(f"must be two numbers, not {describe(value)}", "such as [0.4, 0.6]")
    low, high = map(as_number, value)
    if low > high:
        raise refuse(f"goes from {low:g} down to {high:g}", f"write [{high:g}, {low:g}]")
    return low, high


def as_number_or_null(value: object) -> float | None:
    """Read a number; null is a value that is not defined."""
    return None if value is None else as_number(value)


def as_expected(value: object) -> dict[str, str]:
    """Read expected outcomes by rule id, and `verdict`."""
    if not isinstance(value, Mapping) or not value:
        raise refuse("must say what to expect", "such as {PERF-01: FAIL, verdict: refused}")
    for key, word in value.items():
        known = DECISIONS if key == "verdict" else OUTCOMES
        if word not in known:
            raise refuse(f"has {describe(word)} for {key}", near(str(word), known))
    return dict(value)


def as_finite(value: object) -> Any:
    """Read parameters of a check as they are: any tree without NaN and infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        raise refuse(f"holds {value}, which is not a finite number")
    for inner in value.values() if isinstance(value, Mapping) else ():
        as_finite(inner)
    for inner in value if isinstance(value, list) else ():
        as_finite(inner)
    return value


def _edges(name: object, edges: object) -> tuple[float, ...] | None:
    if edges is None:
        return None
    if not isinstance(edges, list) or not edges:
        raise refuse(f"has {describe(edges)} for {name}", "write bin edges such as [25, 45], or ~")
    numbers = tuple(as_number(edge) for edge in edges)
    if any(a >= b for a, b in itertools.pairwise(numbers)):
        raise refuse(f"has bin edges of {name} that do not ascend")
    return numbers
