"""Markdown as its reader sees it: parsed with one parser, and its HTML with another."""

from __future__ import annotations

import html.parser
from dataclasses import dataclass, field

from markdown_it import MarkdownIt

OURS = {
    "h2", "p", "strong", "ul", "li", "code", "table", "thead", "tbody", "tr", "th", "td",
    "details", "summary",
}  # fmt: skip


@dataclass(slots=True)
class Page(html.parser.HTMLParser):
    """What a reader sees: the tags, the rows of tables, the text in and outside of code."""

    tags: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    depth: int = 0
    in_cell: bool = False

    def __post_init__(self) -> None:
        html.parser.HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs, f"<{tag} {attrs}> is not ours"
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self.in_cell = True
        if tag == "code":
            self.depth += 1
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "code":
            self.depth -= 1
        if tag in {"td", "th"}:
            self.in_cell = False

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.codes[-1] += data
        else:
            self.outside.append(data)
        if self.in_cell:
            self.rows[-1][-1] += data


def page(text: str) -> Page:
    """Parse Markdown with tables, then its HTML."""
    parsed = Page()
    parsed.feed(MarkdownIt("commonmark").enable("table").render(text))
    return parsed


def outside(text: str) -> str:
    """The text that is not in code, where mentions and links would come alive."""
    return "".join(page(text).outside)
