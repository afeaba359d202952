"""Generated blocks: replaced where they stand, and what people wrote is never touched."""

from __future__ import annotations

import pytest

from aims_gate.governance.generated import BEGIN, END, with_generated, without_generated

CARD = "---\nkind: card\nowner: ada@acme.example\n---\n# Credit\n\n## How it decides\nBy score.\n"


def test_what_people_wrote_survives_and_a_second_build_changes_only_the_blocks() -> None:
    """Front matter and body each have one block; without them the first text is back."""
    once = with_generated(CARD, front=["model_version: '1'"], body=["| a |"])
    again = with_generated(once, front=["model_version: '2'"], body=["| b |", "| c |"])
    assert again.count(BEGIN) == again.count(END) == 2
    assert "'1'" not in again
    assert "| a |" not in again
    assert without_generated(again) == without_generated(once) == CARD
    assert with_generated(again, front=["model_version: '2'"], body=["| b |", "| c |"]) == again


@pytest.mark.parametrize("tail", ["", "\n", "\n\n\n", "## Limits\n\n"])
def test_the_bytes_that_people_approved_stay_to_the_last_empty_line(tail: str) -> None:
    """A first build after an approval asks for no new one."""
    built = with_generated(CARD + tail, front=["model_version: '1'"], body=["| a |"])
    assert without_generated(built) == CARD + tail


def test_people_may_move_a_block_and_write_after_it() -> None:
    """It is written anew where it stands, and a second one of the same kind goes away."""
    once = with_generated(CARD, front=[], body=["| a |"]) + "\n## Limits\nNone known.\n"
    twice = once + once[once.index("<!--") : once.index("\n## Limits")]
    again = with_generated(twice, front=[], body=["| b |"])
    assert again.count("| b |") == 1
    assert again.index("| b |") < again.index("## Limits")


@pytest.mark.parametrize(
    "text",
    [
        f"<!-- {BEGIN} -->\nhuman\n",
        f"human\n<!-- {END} -->\n",
        f"text <!-- {BEGIN} -->\nhuman\n<!-- {END} -->\n",
    ],
)
def test_lines_outside_a_closed_block_are_peoples(text: str) -> None:
    """An opened, an unopened and an indented marker hide nothing from an approval."""
    assert without_generated(text) == text


def test_a_block_opened_twice_hides_no_line_between() -> None:
    text = f"<!-- {BEGIN} -->\nhuman\n<!-- {BEGIN} -->\ntable\n<!-- {END} -->\n"
    assert without_generated(text) == f"<!-- {BEGIN} -->\nhuman\n"
