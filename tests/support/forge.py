"""A stand-in on 127.0.0.1 for the few addresses of GitHub's REST API that a gate asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PULL = "/repos/acme/credit"


@dataclass(kw_only=True)
class Forge:
    """The pull request 7 of `acme/credit`: its comments and reviews, and what was asked."""

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    refuse: int = 0
    """Status with which every request is answered."""
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, address: str, body: Any) -> tuple[int, Any]:
        """Status and body of the answer."""
        parts = urlsplit(address)
        self.asked.append(f"{method} {parts.path}")
        if self.refuse:
            return self.refuse, {"message": "Resource not accessible by integration"}
        match method, parts.path.removeprefix(PULL).split("/"):
            case "GET", ["", "pulls", "7", "reviews"]:
                return 200, self._page(self.reviews, parts.query)
            case "GET", ["", "issues", "7", "comments"]:
                return 200, self._page(self.comments, parts.query)
            case "POST", ["", "issues", "7", "comments"]:
                user = {"login": "github-actions[bot]", "type": "Bot"}
                self.comments.append({**body, "id": len(self.comments) + 1, "user": user})
                return 201, self.comments[-1]
            case "PATCH", ["", "issues", "comments", number]:
                self.comments[int(number) - 1] |= body
                return 200, self.comments[int(number) - 1]
            case _:
                return 404, {"message": "Not Found"}

    @staticmethod
    def _page(found: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
        asked = parse_qs(query)
        size, page = (int(asked.get(name, ["1"])[0]) for name in ("per_page", "page"))
        return found[size * (page - 1) : size * page]


@contextmanager
def forge() -> Iterator[Forge]:
    """Run the stand-in; who asks without a bearer token is refused."""
    found = Forge()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            code, told = 401, {"message": "Requires authentication"}
            if self.headers.get("Authorization", "").startswith("Bearer "):
                code, told = found.answer(self.command, self.path, body)
            text = json.dumps(told).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = _do  # noqa: N815  # the names that the library calls

        def log_message(self, *args: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
