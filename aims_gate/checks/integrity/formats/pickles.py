"""Pickle detection: the opcodes are walked as an unpickler would, and none is executed.

A pickle needs no magic bytes: protocols 0 and 1 have none, and what is never called may stand
before what is. So a file is a pickle if its opcodes, from the first byte on, reach one that imports
and calls, or reach their end with nothing behind it. Prose and tables do not.
"""

from __future__ import annotations

import pickletools
import re
from dataclasses import dataclass, field

from aims_gate.checks.integrity.formats.kinds import PICKLE
from aims_gate.checks.integrity.formats.view import View

_MOST = 200_000
"""Instructions; what reads as a pickle for longer is one."""
_HEAD = 4096
_OPCODES = {ord(op.code): op for op in pickletools.opcodes}
_CALLS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
_NAMES = frozenset({"STACK_GLOBAL", "EXT1", "EXT2", "EXT4"})
_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_LINE = rb"(?is)\s*[+-]?(?:%s)L*\s*(?:\0.*)?"
_WHOLE = re.compile(_LINE % rb"0x[\da-f_]+|0[bo][0-7_]+|[\d_]+|(?=\0)")
_KEY = re.compile(_LINE % rb"[0_]*([\d_]*)")
_NUMBERS = {
    "INT": _WHOLE,
    "LONG": _WHOLE,
    "FLOAT": re.compile(_LINE % rb"nan|inf(?:inity)?|[\d_.]+(?:e[+-]?[\d_]+)?"),
    "PUT": _KEY,
    "GET": _KEY,
}
"""Numbers as text, of any length: all that one of CPython's two unpicklers reads, and more."""
_WIDTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}


class _NoPickleError(Exception):
    """An unpickler would stop here, and has called nothing."""


def pickled(view: View) -> frozenset[str]:
    """Pickle kinds of a file: `pickle`, and its library if the head names it; empty if none."""
    try:
        walks = _Walk(view).finds()
    except _NoPickleError:
        walks = False
    return named(view) if walks else frozenset()


def named(view: View) -> frozenset[str]:
    """Kinds of a pickle by its first bytes: `pickle`, and `cloudpickle` or `joblib`."""
    head = view.read(0, _HEAD)
    found = {name for name in ("cloudpickle", "joblib") if name.encode() in head}
    return PICKLE | found


def begins(view: View) -> bool:
    """Tell whether it begins as every pickle since protocol 2 does."""
    head = view.read(0, 2)
    return len(head) == 2 and head[0] == 0x80 and 2 <= head[1] <= 5


@dataclass(slots=True)
class _Walk:
    """The state of an unpickler that keeps count of its stack and nothing that is on it."""

    view: View
    at: int = 0
    depth: int = 0
    marks: list[int] = field(default_factory=list)
    memo: set[int] = field(default_factory=set)
    imported: bool = False

    def finds(self) -> bool:
        for _step in range(_MOST):
            opcode = _OPCODES.get(next(iter(self.view.read(self.at, 1)), -1))
            if opcode is None:
                raise _NoPickleError
            self.at += 1
            argument = self._argument(opcode)
            if opcode.name == "STOP":
                if self._ends():
                    return True
                continue
            self._remember(opcode.name, argument)
            self._move(opcode)
            self.imported |= opcode.name in _NAMES or _imports(opcode.name, argument)
            if self.imported and opcode.name in _CALLS:
                return True
        return True

    def _argument(self, opcode: pickletools.OpcodeInfo) -> bytes:
        """Step over the argument; give it where it is a line or of fixed length."""
        if opcode.arg is None:
            return b""
        if opcode.arg.n == pickletools.UP_TO_NEWLINE:
            return b"\n".join(
                self._line(opcode.name) for _ in range(1 + (opcode.name in {"GLOBAL", "INST"}))
            )
        width = _WIDTHS.get(opcode.arg.n, opcode.arg.n)
        argument = self._take(width)
        if opcode.arg.n < 0:
            self._skip(int.from_bytes(argument, "little"))
        return argument

    def _line(self, name: str) -> bytes:
        end = self.view.find(b"\n", self.at)
        if end < 0:
            raise _NoPickleError
        line = self.view.read(self.at, min(end - self.at, _HEAD))
        if name in _NUMBERS:
            start = self.view.start
            number = _NUMBERS[name].fullmatch(self.view.data, start + self.at, start + end)
            if number is None:
                raise _NoPickleError
            if number.re is _KEY:
                at, digits = number.start(1) - start, number.end(1) - number.start(1)
                line = self.view.read(at, min(digits, _HEAD)).replace(b"_", b"")
        self.at = end + 1
        if name == "STRING" and line[:1] not in {b"'", b'"'}:
            raise _NoPickleError
        return line

    def _take(self, size: int) -> bytes:
        taken = self.view.read(self.at, size)
        if len(taken) < size:
            raise _NoPickleError
        self.at += size
        return taken

    def _skip(self, size: int) -> None:
        self.at += size
        if self.at > len(self.view):
            raise _NoPickleError

    def _remember(self, name: str, argument: bytes) -> None:
        if name == "MEMOIZE":
            self.memo.add(len(self.memo))
            return
        if name not in _PUTS | _GETS:
            return
        key = int(argument or b"0") if name in _NUMBERS else int.from_bytes(argument, "little")
        if name in _PUTS:
            self.memo.add(key)
        elif key not in self.memo:
            raise _NoPickleError

    def _move(self, opcode: pickletools.OpcodeInfo) -> None:
        """Take from the stack and put on it what the instruction does."""
        if opcode.name == "MARK":
            self.marks.append(self.depth)
            return
        if opcode.name in {"PERSID", "BINPERSID"}:  # a plain unpickler knows no such ids
            raise _NoPickleError
        if opcode.name == "POP" and self.marks and self.marks[-1] == self.depth:
            self.marks.pop()
            return
        taken = opcode.stack_before
        if pickletools.markobject in taken:
            if not self.marks:
                raise _NoPickleError
            within = self.depth - self.marks[-1]
            self.depth = self.marks.pop()
            taken = taken[: taken.index(pickletools.markobject)]
            if opcode.name == "OBJ" and not within:
                raise _NoPickleError
        needs = 1 if opcode.name in _PUTS else len(taken)
        if self.depth - needs < (self.marks[-1] if self.marks else 0):
            raise _NoPickleError
        gives = [thing for thing in opcode.stack_after if thing is not pickletools.markobject]
        self.depth += len(gives) - len(taken)

    def _ends(self) -> bool:
        """Tell whether it is over: another pickle may follow, and text may happen to end so."""
        if self.depth < 1:
            raise _NoPickleError
        self.depth = 0
        self.marks.clear()
        self.memo.clear()
        return self.imported or not self.view.read(self.at, _HEAD).strip()


def _imports(name: str, argument: bytes) -> bool:
    """Tell whether an instruction of protocol 0 imports something that could be there."""
    if name not in {"GLOBAL", "INST"}:
        return False
    parts = argument.decode("utf-8", "replace").replace("\n", ".").split(".")
    return all(part.isidentifier() for part in parts)
