"""Child program that sets resource limits (rlimit) before any code of a model runs.

Started as `python -I -S -B confine.py MEMORY ADDRESSES CPU FILE COMMAND...`: it sets limits that
cannot be raised again, and becomes the command. It imports nothing of the gate.
"""

from __future__ import annotations

import os
import sys
import traceback

CONFINE = 73
"""Exit code: the process could not be limited, or there is no such command."""


def confine(memory: int, addresses: int, cpu_seconds: int, file: int) -> None:
    """Set limits that cannot be raised again; no core dumps, which hold rows."""
    import resource

    wanted = {
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_AS: addresses,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_FSIZE: file,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # the signal of the soft limit first: it tells which limit it was
        extra = 5 if kind == resource.RLIMIT_CPU and least != hard else 0
        resource.setrlimit(kind, (least, least + extra))


if __name__ == "__main__":
    try:
        confine(*map(int, sys.argv[1:5]))
        os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606  # without a shell, as it should be
    except BaseException:  # noqa: BLE001  # whatever it is, the command must not run
        traceback.print_exc()
        sys.exit(CONFINE)
