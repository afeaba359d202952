"""What a text says: words that a reader sees, and neither fillers nor what no page shows."""

from __future__ import annotations

import pytest

from aims_gate.governance.wording import says


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "n/a", "tbd", "ok", "none yet", "todo: later"),
        *("\u3164\u3164", "\u115f", "\uffa0", "\u2800", "TO\u200bDO", "o\u00adk"),
        *("<template>words here</template>", "<template>never closed", "<style>words {}</style>"),
        *("<!-- words -->", "<!-- words", "<!x words>", "<?php words ?>"),
    ],
)
def test_what_nobody_sees_or_what_fills_a_place_says_nothing(text: str) -> None:
    assert not says(text)


@pytest.mark.parametrize(
    "text",
    [
        "none: because no person is affected",
        "x < y and y > z hold",
        "<b>Loans</b> under 5,000 euros",
        "words <!-- with a note --> on both sides",
        "カテゴリ別に確認した",
        "प्रशिक्षण डेटा",
        "Kreditvergabe geprüft",
    ],
)
def test_words_of_any_language_say_something(text: str) -> None:
    assert says(text)
