"""docs/iso42001.md: 133 elements, each with something that is there, or with why it is not."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from aims_gate.__main__ import guarded
from aims_gate.checks import CHECKS
from aims_gate.cli import cli
from aims_gate.governance.kinds import ENTRY_TYPES, KINDS, Area
from tests.test_docs import blocks, commands

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "iso42001.md").read_text(encoding="utf-8")
_NUMBERS = """
1 4 5 6 9 10 11 12 15 16 17 18 19 19b 23 24 25 26a 26b 27a 27b 30a 30b 31a 31b 32a 32b 33 38 39 40
41 43 44 45 46 48 49 50 51a 51b 51c 55 56 57 58 60 61 62 63 65 66 67 68 71 72 73 74 75 82 83 84 85
88 89 90 91 92 94 96 97 98 100 101 102 103 107 109 110 111 112 113 114 116 118 119 120 121 122 125
126 127a 127b 128a 128b 130 132 133 134 135 137a 137b 137c 137d 141 143 144 145 146 147a 147b 149
150 151 152 154 156 157 158 159 165 166 167 168 170 171 172 173 175 176 177 178 179
"""
NUMBERS = _NUMBERS.split()
"""Of the article's elements."""
ROWS = re.findall(r"^\| (\d+[a-d]?) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
UNSERVED = re.compile(r"(part 2:|not served, because) \S.{9,}")


def command(words: list[str]) -> bool:
    """Whether a command with these options is there; what is no option is an argument."""
    found: click.Command | None = cli
    while isinstance(found, click.Group):
        name = words.pop(0) if words and not words[0].startswith("-") else ""
        found = found.get_command(click.Context(found), name) if name else None
    options = {one for param in found.params for one in param.opts} if found else set()
    return found is not None and {one for one in words if one.startswith("-")} <= options


def record(place: str) -> bool:
    """Whether `aims/risks.yaml` or `org/people.yaml: roles` is a kind of record, with this key."""
    path, _, key = place.partition(": ")
    for kind in KINDS.values():
        folder = "aims" if kind.area is Area.SYSTEM else "org"
        if re.fullmatch(f"{folder}/{kind.place.replace('*', '[A-Z]+')}", path):
            return not key or key in kind.keys.model_fields
    return False


def resolves(word: str) -> bool:
    kind, _, rest = word.partition("/")
    if word.startswith("aims-gate "):
        return command(shlex.split(word)[1:])
    if kind == "log":
        return rest in ENTRY_TYPES
    if "@" in word:
        return (ROOT / "policies" / f"{word}.yaml").is_file()
    return word in CHECKS or record(word) or (ROOT / word).is_file()


def test_every_element_is_a_row_once() -> None:
    assert len(NUMBERS) == 133
    assert [number for number, _, _ in ROWS] == NUMBERS


@pytest.mark.parametrize(("number", "served"), [(row[0], row[2]) for row in ROWS], ids=NUMBERS)
def test_what_serves_an_element_is_there(number: str, served: str) -> None:
    named = re.findall(r"`([^`]+)`", served)
    assert named or UNSERVED.fullmatch(served), f"{number} is served by nothing"
    assert [one for one in named if not resolves(one)] == []


@pytest.mark.parametrize(
    "word",
    [
        *("aims-gate aims gap --percent", "aims-gate aims", "aims-gate aims gaps", "log/holiday"),
        *(
            "records.perfect",
            "aims/risk.yaml",
            "org/people.yaml: salaries",
            "none@1.0.0",
            "nowhere.md",
        ),
        *("aims/data/*.md", "aims-gate"),
    ],
)
def test_what_is_not_there_does_not_resolve(word: str) -> None:
    assert not resolves(word)


def test_the_pages_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, where all is missing."""
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks("docs/iso42001.md") for line in commands(block)]
    assert len(lines) == 4
    for arguments, code in lines:
        assert guarded(arguments) == code, arguments
    assert len((tmp_path / "soa.csv").read_text("utf-8").splitlines()) == 39
