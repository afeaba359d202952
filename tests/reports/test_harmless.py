"""One table of attacks over all formats: a name of a stranger is shown, and never obeyed."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from aims_gate.advice import in_order
from aims_gate.github.review import Around, review
from aims_gate.harmless import github_message, github_property, plain
from aims_gate.reports import REPORTS
from aims_gate.reports.log_commands import LOG_FORMATS
from aims_gate.verdict import Verdict
from tests.reports.cases import HOSTILE, hostile_verdict
from tests.support.markdown_page import OURS, page
from tests.support.sarif_schema import sarif_log

ATTACKS = {
    "workflow command of GitHub": "credit\n::error file=a.py::owned",
    "workflow command after a title": "x::add-mask::y",
    "end of a property": "x,file=/etc/passwd,line=1",
    "percent-encoded newline": "x%0A::stop-commands::pwned",
    "old workflow command": "##[add-mask]x",
    "command of Azure": "##vso[task.setvariable variable=x]y",
    "end of Azure's properties": "x;]##vso[task.complete result=Succeeded;]",
    "section of GitLab": "\x1b[0Ksection_start:1:x[collapsed=true]\r\x1b[0Khidden",
    "code fence": "```\n# owned",
    "long code fence": "`" * 40 + "\n<b>owned</b>",
    "table": "a | b \\| c || d\\",
    "heading": "\n# passed\n\n---\n",
    "HTML": "<img src=x onerror=alert(1)></details></code></sub><script>x</script>",
    "HTML comment": "--><!-- aims-gate:0123456789abcdef -->",
    "link and image": "[x](http://evil.example) ![i](http://evil.example/i) <http://evil.example>",
    "mention": "@octocat @org/team #1 GH-2 www.evil.example owner/repo#3",
    "XML": "]]></failure><testcase name='x'/>&amp; &lt;",
    "colour": "\x1b[31mred\x1b]8;;http://evil.example\x07link\x1b\\ \x9b2J \x08\x7f",
    "bidirectional": "rtl \u202ekcatta\u202c \u2066iso\u2069 zero\u200bwidth \ufeff",
    "noncharacters": "\ufffe\uffff \ud800 \x00 \U000e0041",
    **{f"before {number}": text for number, text in enumerate(HOSTILE)},
}


def reviewed(verdict: Verdict) -> str:
    """Comment and summary, in which all beside the report is as hostile."""
    around = Around(evidence_digest=verdict.stage, policy_diff=f"- {verdict.stage}\n+ b\n")
    return review(verdict, around, most=60_000)


FORMATS: dict[str, Callable[[Verdict], str]] = {
    **{name: REPORTS[name] for name in REPORTS},
    **{f"log of {name}": lambda v, n=name: LOG_FORMATS[n](v) for name in LOG_FORMATS},  # type: ignore[misc]
    "review": reviewed,
}
OWN = {
    "log of github": re.compile(
        r"::(?:error|warning) (?:file=[^,:]*,line=\d+,)?title=[^,:]*::", re.MULTILINE
    ),
    "log of azure": re.compile(
        r"##vso\[task\.logissue type=(?:error|warning);(?:sourcepath=[^;\]]*;linenumber=\d+;)?\]"
    ),
    "log of gitlab": re.compile(r"\x1b\[0Ksection_(?:start|end):\d+:aims_gate\r\x1b\[0K"),
}
"""Commands that are ours; each stands at the start of a line."""


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_format_holds_what_a_log_obeys_or_a_terminal_acts_on(name: str, attack: str) -> None:
    """Neither workflow commands nor control, invisible or bidirectional characters."""
    text = FORMATS[name](hostile_verdict(ATTACKS[attack]))
    for line in text.split("\n"):
        found = OWN[name].match(line) if name in OWN else None
        rest = line[found.end() :] if found else line
        assert found or not rest.strip().startswith("::")
        assert not re.search(r"##\[|##vso\[", rest)
        seen = {unicodedata.category(character) for character in rest}
        assert not seen & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    text.encode()


@pytest.mark.parametrize("name", ["log of github", "log of azure"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_log_has_a_command_for_each_result_and_no_other_line(name: str, attack: str) -> None:
    text = FORMATS[name](hostile_verdict(ATTACKS[attack]))
    lines = text.splitlines()
    assert len(lines) == 1  # what failed; the one that was waived and the one that passed are none
    assert OWN[name].match(lines[0])


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_review_holds_no_markup_of_a_stranger(attack: str) -> None:
    verdict = hostile_verdict(ATTACKS[attack])
    text = reviewed(verdict)
    parsed = page(text)
    assert set(parsed.tags) <= OURS | {"h3", "sub", "pre"}
    assert parsed.tags.count("details") == parsed.tags.count("h3") == 1
    assert parsed.tags.count("pre") == 2
    assert {len(row) for row in parsed.rows} == {4}
    assert len(parsed.rows) == 1 + len(verdict.results)
    assert not re.search(r"@|://|www\.|#\d|GH-\d|evil|owned", "".join(parsed.outside))


@pytest.mark.parametrize("attack", ATTACKS)
def test_documents_stay_what_they_are(attack: str) -> None:
    verdict = hostile_verdict(ATTACKS[attack])
    root = ET.fromstring(REPORTS["junit"](verdict))  # noqa: S314  # we wrote it
    assert len(root.findall(".//testcase")) == len(verdict.results)
    for name in ("json", "codequality"):
        assert json.loads(REPORTS[name](verdict))
    assert sarif_log(REPORTS["sarif"](verdict))


@pytest.mark.parametrize("attack", ATTACKS)
def test_githubs_runner_reads_back_what_is_shown(attack: str) -> None:
    """Unescaped in the runner's order, so that a percent sign of a name escapes nothing."""
    text = ATTACKS[attack]
    codes = {"%3A": ":", "%2C": ",", "%0D": "\r", "%0A": "\n", "%25": "%"}
    message, name = github_message(text), github_property(text)
    for code, character in codes.items():
        name = name.replace(code, character)
        message = message if code in {"%3A", "%2C"} else message.replace(code, character)
    assert message == name == plain(text)


def test_ten_annotations_at_most_and_the_last_counts_the_rest() -> None:
    verdict = hostile_verdict("x")
    many = [replace(verdict.results[0], rule=f"R-{n}") for n in range(25)]
    told = LOG_FORMATS["github"](replace(verdict, results=tuple(many))).splitlines()
    assert len(told) == 10
    assert told[-1].endswith("::16 more rules: see the summary or the reports")
    shown = [r.rule for r in in_order(replace(verdict, results=tuple(many)))][:9]
    assert [line.partition("title=")[2].split()[0] for line in told[:9]] == shown
