"""Safe file access: regular files only, so that no pipe, device or link can hang or redirect a run.

A checkout may hold a symbolic link to anything, and a build step may leave a pipe.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_STREAMS = ("/dev/", "/proc/self/fd/")
"""Where whoever runs the gate names a stream of their own, such as `>(jq .)` of a shell."""


def read_regular(path: Path, most: int) -> bytes:
    """Read a file, and one byte more than *most* if it is longer.

    OSError if it cannot be read or is no regular file; a link to one is followed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    _refuse_other(descriptor, path)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most + 1)


def itself(path: Path) -> Path:
    """Read a file where it lies, not a copy of it from elsewhere."""
    return path


def write_regular(path: Path, content: bytes) -> None:
    """Write a file anew, through no link that a checkout brings; OSError if that fails."""
    if is_stream(str(path)):
        path.write_bytes(content)
        return
    refuse_links(path)
    if path.is_file() and path.stat().st_nlink > 1:
        path.unlink()  # a hard link, so that its other name keeps what it has
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    _refuse_other(descriptor, path)
    with os.fdopen(descriptor, "wb") as file:
        file.truncate()
        file.write(content)


def create(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Make a file that does not exist, and bring it to the disk.

    FileExistsError if it does, OSError if that fails; then nothing is left behind.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        path.unlink()
        raise


def is_stream(path: str) -> bool:
    """Tell whether a path names a stream or device of the process."""
    return path.startswith(_STREAMS) and ".." not in path


def refuse_links(path: Path) -> None:
    """Raise OSError if *path*, or a folder between it and the working directory, is a symlink.

    Above that, and on other ways, folders are the machine's own; there only *path* itself counts.
    """
    here, whole = Path.cwd(), Path(os.path.abspath(path))  # noqa: PTH100  # resolve would follow
    folders = [one for one in whole.parents if one != here and one.is_relative_to(here)]
    for one in (whole, *folders):
        if one.is_symlink():
            raise OSError(0, f"{one.name!a} is a symbolic link", str(path))


def _refuse_other(descriptor: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is no regular file", str(path))
