"""Universal Binary JSON, in which XGBoost keeps models: walked to the last byte, nothing built."""

from __future__ import annotations

from aims_gate.checks.integrity.formats.view import View

_MOST = 4_000_000
_DEEPEST = 64
_WIDTHS = {
    **dict.fromkeys(b"ZNTF", 0),
    **dict.fromkeys(b"iUC", 1),
    ord("I"): 2,
    **dict.fromkeys(b"ld", 4),
    **dict.fromkeys(b"LD", 8),
}
_LENGTHS = frozenset(b"iUIlL")


class _NotUbjsonError(Exception):
    pass


def is_ubjson(view: View) -> bool:
    """Tell whether it is one object, and nothing else."""
    if view.read(0, 1) != b"{":
        return False
    try:
        return _Reader(view).objects() == len(view)
    except (_NotUbjsonError, IndexError):
        return False


class _Reader:
    """Steps over values; containers that are open are a list, not Python's own stack."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._at = 0

    def objects(self) -> int:
        """Step over one value; give where it ends."""
        open_: list[tuple[int, int, int]] = []  # closing byte or 0, values left, type of all or 0
        steps = 0
        self._value(self._byte(), open_)
        while open_:
            steps += 1
            if steps > _MOST or len(open_) > _DEEPEST:
                raise _NotUbjsonError
            closing, left, kind = open_[-1]
            is_object = closing in {ord("}"), -ord("}")}
            if closing < 0 and left == 0:
                open_.pop()
                continue
            if closing > 0 and self._view.read(self._at, 1)[0] == closing:
                self._at += 1
                open_.pop()
                continue
            if is_object:
                self._skip(self._length())
            if closing < 0:
                open_[-1] = (closing, left - 1, kind)
            self._value(kind or self._byte(), open_)
        return self._at

    def _value(self, kind: int, open_: list[tuple[int, int, int]]) -> None:
        if kind in _WIDTHS:
            self._skip(_WIDTHS[kind])
        elif kind in b"SH":
            self._skip(self._length())
        elif kind in b"[{":
            self._open(ord("]") if kind == ord("[") else ord("}"), open_)
        else:
            raise _NotUbjsonError

    def _open(self, closing: int, open_: list[tuple[int, int, int]]) -> None:
        kind = 0
        if self._view.read(self._at, 1) == b"$":
            self._at += 1
            kind = self._byte()
        if self._view.read(self._at, 1) != b"#":
            if kind:
                raise _NotUbjsonError
            open_.append((closing, -1, 0))
            return
        self._at += 1
        count = self._length()
        if kind in _WIDTHS and closing == ord("]"):
            self._skip(count * _WIDTHS[kind])
        else:
            open_.append((-closing, count, kind))

    def _byte(self) -> int:
        self._at += 1
        return self._view.read(self._at - 1, 1)[0]

    def _length(self) -> int:
        kind = self._byte()
        if kind not in _LENGTHS:
            raise _NotUbjsonError
        width = _WIDTHS[kind]
        self._at += width
        length = int.from_bytes(
            self._view.read(self._at - width, width), "big", signed=kind != ord("U")
        )
        if length < 0:
            raise _NotUbjsonError
        return length

    def _skip(self, size: int) -> None:
        self._at += size
        if self._at > len(self._view):
            raise _NotUbjsonError
