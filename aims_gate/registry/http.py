"""HTTP client for an MLflow server: credentials, timeouts, retries; answers are untrusted."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import requests

from aims_gate import canonical
from aims_gate.errors import SourceError, UsageError
from aims_gate.registry.contract import NotFoundError
from aims_gate.registry.uris import bare, printable
from aims_gate.time_limit import HINT, LEAST, patiently, seconds_of, size_of
from aims_gate.version import __version__

CONNECT_SECONDS = 10.0
ATTEMPTS = 3
"""Tries of a read, the first included."""
MAX_ANSWER = 64 * 2**20
"""Bytes of a JSON answer."""
_CHUNK = 1 << 16
_MAX_WAIT = 10.0
_AGAIN = frozenset({429, 500, 502, 503, 504})
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,40}")
_GONE = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials(requests.auth.AuthBase):
    """What MLflow's variables, or the URI, say; never `.netrc`, never another host."""

    user: str = ""
    password: str = ""
    token: str = ""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign one request."""
        if self.user or self.password:
            pair = f"{self.user}:{self.password}".encode()
            request.headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        elif self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    @classmethod
    def of(cls, uri: str, environ: Mapping[str, str]) -> Credentials:
        """Prefer `MLFLOW_TRACKING_USERNAME` and `_PASSWORD`, then `_TOKEN`, then the URI's own."""
        user = environ.get("MLFLOW_TRACKING_USERNAME", "")
        password = environ.get("MLFLOW_TRACKING_PASSWORD", "")
        if user and password:
            return cls(user=user, password=password)
        if token := environ.get("MLFLOW_TRACKING_TOKEN", ""):
            return cls(token=token)
        parts = urlsplit(uri)
        return cls(user=unquote(parts.username or ""), password=unquote(parts.password or ""))


class RefusedError(SourceError):
    """The server understood and said no."""

    def __init__(self, what: str, *, status: int, where: str, hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status
        """The HTTP status, 400 to 599."""


class _BusyError(requests.RequestException):
    """The server answered that it cannot just now."""

    def __init__(self, error: SourceError, *, wait: float) -> None:
        super().__init__()
        self.error = error
        self.wait = wait


class Connection:
    """One MLflow server; SourceError for everything that goes wrong on the way."""

    def __init__(
        self, uri: str, environ: Mapping[str, str], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.server = bare(uri)
        self._timeout = seconds_of(environ)
        self._sleep = sleep
        self._session = requests.Session()
        self._session.auth = Credentials.of(uri, environ)
        self._session.verify = _verify(environ)
        self._session.headers["User-Agent"] = f"aims-gate/{__version__}"

    def json(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        read: bool = True,
        api: str = "2.0",
    ) -> Any:
        """Call an endpoint below `/api/`; only a *read* is tried again."""

        def once() -> Any:
            with self._send(method, path, api=api, params=params, json=body) as answer:
                return self._checked(answer, _body(answer))

        return self._tried(ATTEMPTS if read else 1, once)

    def version(self) -> str:
        """MLflow version of the server, from `/version`; empty if that is no version."""

        def once() -> str:
            with self._session.get(
                f"{self.server}/version",
                timeout=(min(CONNECT_SECONDS, self._timeout), self._timeout),
                allow_redirects=False,
                stream=True,
            ) as answer:
                text = _body(answer).decode(errors="replace")
                return text.strip() if answer.ok and _VERSION.fullmatch(text.strip()) else ""

        return self._tried(ATTEMPTS, once)

    def download(self, path: str, target: Path, *, limit: int) -> int:
        """Stream a file to *target*; returns its size in bytes."""

        def once() -> int:
            with self._send("GET", path, headers={"Accept-Encoding": "identity"}) as answer:
                if not answer.ok:
                    self._checked(answer, _body(answer))
                return _save(answer, target, limit)

        return self._tried(ATTEMPTS, once, grown=partial(size_of, target))

    def upload(self, path: str, file: Path) -> None:
        """Store a file, once: a failed upload is for the caller to repeat as a whole."""

        def once() -> None:
            with file.open("rb") as data, self._send("PUT", path, data=data) as answer:
                self._checked(answer, _body(answer))

        periods = 1 + file.stat().st_size // LEAST
        self._tried(1, once, seconds=periods * self._timeout)

    def _tried(
        self,
        times: int,
        once: Callable[[], T],
        *,
        grown: Callable[[], int] = int,
        seconds: float | None = None,
    ) -> T:
        """Do something up to *times* times, as long as it fails in a way that may pass."""
        for left in range(times - 1, -1, -1):
            try:
                return patiently(once, seconds=seconds or self._timeout, grown=grown)
            except _BusyError as busy:
                if not left:
                    raise busy.error from busy
                wait = busy.wait
            except (requests.RequestException, TimeoutError) as error:
                if not left:
                    raise self._unreachable(error) from error
                wait = 0.0
            self._sleep(wait or 0.2 * 4.0 ** (times - 1 - left))
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def _send(
        self, method: str, path: str, *, api: str = "2.0", **options: Any
    ) -> Iterator[requests.Response]:
        """Send one request; a redirect is not followed, so credentials stay where they belong."""
        with self._session.request(
            method,
            f"{self.server}/api/{api}/{path}",
            timeout=(min(CONNECT_SECONDS, self._timeout), self._timeout),
            allow_redirects=False,
            stream=True,
            **options,
        ) as answer:
            if 300 <= answer.status_code < 400:
                raise SourceError(
                    f"the MLflow server redirects to {bare(answer.headers.get('Location', ''))!a}",
                    where=self.server,
                    hint="set MLFLOW_TRACKING_URI to the address that answers itself",
                )
            yield answer

    def _checked(self, answer: requests.Response, body: bytes) -> Any:
        try:
            value = canonical.parse(body) if body.strip() else {}
        except ValueError:
            value = None
        if answer.ok and isinstance(value, dict):
            return value
        if answer.ok:
            raise SourceError(
                "the answer is not MLflow's JSON",
                where=self.server,
                hint="is MLFLOW_TRACKING_URI the address of an MLflow server?",
            )
        error = self._refused(answer.status_code, value if isinstance(value, dict) else {})
        if answer.status_code in _AGAIN:
            raise _BusyError(error, wait=_wait(answer))
        raise error

    def _refused(self, status: int, value: Mapping[str, Any]) -> SourceError:
        said = f": {printable(value['message'])}" if value.get("message") else ""
        if value.get("error_code") in _GONE:
            return NotFoundError(f"MLflow has no such thing{said}", where=self.server)
        hint = "is MLFLOW_TRACKING_URI the address of an MLflow server?" if not value else ""
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            hint = (
                "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
                "MLFLOW_TRACKING_TOKEN, of a user who may do this"
            )
        what = f"MLflow refused with {status}{said}"
        return RefusedError(what, status=status, where=self.server, hint=hint)

    def _unreachable(self, error: Exception) -> SourceError:
        if isinstance(error, requests.exceptions.SSLError):
            what, hint = "its certificate is not trusted", "set MLFLOW_TRACKING_SERVER_CERT_PATH"
        elif isinstance(error, TimeoutError):
            what, hint = str(error), HINT
        elif isinstance(error, requests.Timeout):
            what, hint = f"no answer within {self._timeout:g} s", HINT
        else:
            what, hint = "no connection", "is the server running, and MLFLOW_TRACKING_URI right?"
        return SourceError(f"cannot reach MLflow: {what}", where=self.server, hint=hint)


def _body(answer: requests.Response) -> bytes:
    """Read an answer that may not be endless."""
    body = bytearray()
    for chunk in answer.iter_content(1 << 16):
        body += chunk
        if len(body) > MAX_ANSWER:
            raise SourceError(f"MLflow's answer has more than {MAX_ANSWER:,} bytes")
    return bytes(body)


def _save(answer: requests.Response, target: Path, limit: int) -> int:
    size = 0
    target.unlink(missing_ok=True)  # what an attempt before this one left
    with target.open("xb") as file:
        for chunk in answer.iter_content(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise SourceError(
                    f"the file has more than the {limit:,} bytes that are left of the limit",
                    where=target.name,
                )
            file.write(chunk)
    announced = answer.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) != size:
        raise requests.ConnectionError("the download ended early")
    return size


def _wait(answer: requests.Response) -> float:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), _MAX_WAIT) if asked.isdigit() else 0.0


def _verify(environ: Mapping[str, str]) -> bool | str:
    insecure = environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in {"true", "1"}
    certificate = environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH", "")
    if insecure and certificate:
        raise UsageError(
            "MLFLOW_TRACKING_INSECURE_TLS and MLFLOW_TRACKING_SERVER_CERT_PATH are both set",
            hint="unset the first: it would switch the second off",
        )
    if certificate and not Path(certificate).exists():
        raise UsageError("MLFLOW_TRACKING_SERVER_CERT_PATH names no file", where=certificate)
    return certificate or not insecure
