"""A stand-in for GitHub's REST API: comments and reviews of a pull request, in memory."""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "the-workflows-token"
BOT = {"login": "github-actions[bot]", "type": "Bot"}
_LIST = re.compile(r"/repos/acme/credit/issues/7/comments")
_PULL = "/repos/acme/credit/pulls/7"
_REVIEWS = f"{_PULL}/reviews"
_HISTORY = re.compile(r"/repos/acme/credit/(commits|contents/|pulls/7/commits)")
_ISSUES = "/repos/acme/credit/issues"
_ISSUE = re.compile(rf"{_ISSUES}/(\d+)")
_ONE = re.compile(r"/repos/acme/credit/issues/comments/(\d+)")


@dataclass
class GitHub:
    """Answers on 127.0.0.1 as api.github.com does; *status* of every answer that writes."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    pull: Any = field(default_factory=dict)
    """Pull request 7."""
    merged: list[dict[str, Any]] = field(default_factory=list)
    """Pull requests of every commit but those *without_pull*."""
    without_pull: set[str] = field(default_factory=set)
    changes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Commits by the path that they changed."""
    wrote: list[dict[str, Any]] = field(default_factory=list)
    """Commits of pull request 7."""
    contents: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Files by path and commit."""
    status: int = 0
    """What every request that writes is answered with; 0 for what GitHub says."""
    busy: list[int] = field(default_factory=list)
    """What the next requests are answered with, before anything else."""
    seen: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request."""
    versions: set[str | None] = field(default_factory=set)

    def __enter__(self) -> Self:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_args: object) -> None:
                """Say nothing."""

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                hub.versions.add(self.headers.get("X-GitHub-Api-Version"))
                known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
                status, told = hub.answer(self.command, self.path, body) if known else (401, {})
                data = json.dumps(told).encode()
                self.send_response(status)
                if status in {301, 307}:
                    self.send_header("Location", f"{hub.url}/elsewhere")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = _answer  # noqa: N815  # the names that http.server calls

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status and JSON of the answer to one request."""
        self.seen.append((method, path))
        if self.busy:
            return self.busy.pop(0), {"message": "try again later"}
        place = urlsplit(path)
        if method == "GET" and place.path == _PULL:
            return 200, self.pull
        if method == "GET":
            return self._list(place.path, parse_qs(place.query))
        if self.status:
            return self.status, {"message": "Resource not accessible by integration"}
        told = json.loads(body)
        if len(told["body"]) > 65_536:
            return 422, {"message": "Body is too long"}
        if place.path == _ISSUES or _ISSUE.fullmatch(place.path):
            return self._issue(place.path, told)
        return self._comment(place.path, told["body"])

    def _list(self, path: str, asked: dict[str, list[str]]) -> tuple[int, Any]:
        if _HISTORY.match(path):
            return self._history(unquote(path), asked)
        listed = self.comments if _LIST.fullmatch(path) else self.reviews
        if path == _ISSUES:
            assert asked["state"] == ["open"]
            listed = [issue for issue in self.issues if issue["state"] == "open"]
        elif not _LIST.fullmatch(path) and path != _REVIEWS:
            return 404, {}
        page, size = int(asked["page"][0]), min(int(asked["per_page"][0]), 100)
        return 200, listed[(page - 1) * size : page * size]

    def _history(self, path: str, asked: dict[str, list[str]]) -> tuple[int, Any]:
        """Commits of a path, pull requests of a commit, commits of the pull request, a file."""
        if path.endswith("/pulls/7/commits"):
            return 200, self.wrote
        if path.endswith("/pulls"):
            return 200, [] if path.split("/")[-2] in self.without_pull else self.merged
        if path.endswith("/commits"):
            return 200, self.changes.get(asked["path"][0], [])
        found = self.contents.get((path.partition("/contents/")[2], asked["ref"][0]))
        told = {"content": base64.encodebytes(found or b"").decode(), "encoding": "base64"}
        return (404, {}) if found is None else (200, told)

    def _comment(self, path: str, text: str) -> tuple[int, Any]:
        """Make a comment, or change the one that the path names."""
        one = _ONE.fullmatch(path)
        if one is None:
            self.add(text, BOT)
            return (201, self.comments[-1]) if _LIST.fullmatch(path) else (404, {})
        (comment,) = [c for c in self.comments if c["id"] == int(one[1])]
        if comment["user"] != BOT:
            return 403, {}
        comment["body"] = text
        return 200, comment

    def _issue(self, path: str, told: dict[str, Any]) -> tuple[int, Any]:
        """Open an issue, or change the one that the path names."""
        if path == _ISSUES:
            number = 100 + len(self.issues)
            self.issues.append({"id": number, "number": number, "state": "open", "user": BOT})
            path = f"{_ISSUES}/{number}"
        (found,) = [one for one in self.issues if path == f"{_ISSUES}/{one['number']}"]
        found.update(told)
        return 200, found

    def add(self, text: str, user: object) -> None:
        """Comment as somebody."""
        self.comments.append({"id": 1000 + len(self.comments), "body": text, "user": user})
