"""A proxy that makes a real server fail on demand."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(kw_only=True)
class Request:
    """One request that came to a proxy."""

    method: str
    path: str
    """With its query."""
    headers: Mapping[str, str]
    body: bytes


@dataclass(kw_only=True)
class Answer:
    """What a proxy answers instead of asking the real server; a status of 0 cuts the line."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"


Plan = Callable[[int, Request], Answer | None]
"""Number of the request (from 0) and the request to an answer; None asks the real server."""


class Proxy:
    """An HTTP proxy on 127.0.0.1 before a real server; what *plan* answers, it answers itself."""

    def __init__(self, target: str, plan: Plan) -> None:
        self.seen: list[Request] = []
        self._target = target.removeprefix("http://")
        self._plan = plan
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

            def handle_one_request(self) -> None:
                """Give every method to the proxy."""
                self.raw_requestline = self.rfile.readline(65537)
                if self.raw_requestline and self.parse_request():
                    proxy._serve(self)
                else:
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        request = Request(
            method=handler.command, path=handler.path, headers=dict(handler.headers), body=body
        )
        with self._lock:
            number = len(self.seen)
            self.seen.append(request)
        answer = self._plan(number, request) or self._forward(request)
        if answer.status == 0:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        try:
            handler.send_response(answer.status)
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            if "Content-Length" not in answer.headers:
                handler.send_header("Content-Length", str(len(answer.body)))
            handler.end_headers()
            handler.wfile.write(answer.body)
        except OSError:
            handler.close_connection = True  # the client gave up, as some tests want it to

    def _forward(self, request: Request) -> Answer:
        line = http.client.HTTPConnection(self._target, timeout=60)
        headers = {k: v for k, v in request.headers.items() if k.lower() != "host"}
        try:
            line.request(request.method, request.path, body=request.body, headers=headers)
            answer = line.getresponse()
            body = answer.read()
        finally:
            line.close()
        skipped = {"content-length", "transfer-encoding", "connection", "date", "server"}
        kept = {k: v for k, v in answer.getheaders() if k.lower() not in skipped}
        return Answer(status=answer.status, headers=kept, body=body)
