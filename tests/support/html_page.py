"""An HTML page of ours as its tags, attributes and words, and those that it may have."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "line", "path", "hr"}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "nav"),
    *("article", "h1", "h2", "h3", "p", "a", "b", "br", "span", "ul", "ol", "li", "dl", "dt", "dd"),
    *("div", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "figure"),
    *("figcaption", "pre", "svg", "g", "path", "line", "text"),
}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "scope", "role"),
    *("tabindex", "aria-label", "aria-labelledby", "aria-hidden", "width", "height", "viewbox"),
    *("fill", "stroke", "stroke-width", "stroke-dasharray", "transform", "d", "x1", "x2", "y1"),
    *("y2", "text-anchor", "font-size", "font-weight", "opacity"),
}


class Parsed(HTMLParser):
    """Tags, attributes and text of a page; every tag is closed where it has to be."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text.replace("<wbr>", ""))  # a place to wrap is no character
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    @property
    def words(self) -> str:
        """All text, with single blanks."""
        return " ".join(" ".join(self.text).split())
