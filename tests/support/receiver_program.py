"""A receiver to be killed: started again at once, as systemd would, by the process that forks it.

`python receiver_program.py SETTINGS`, in JSON. The imports are done once, before the fork.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from aims_gate.inbox.contract import Action, Hold, Inbox, ModelKey
from aims_gate.inbox.database import open_inbox
from aims_gate.webhook.serve import Service, serve
from tests.support.deliveries import SECRET
from tests.support.registry_world import World


def main(settings: dict[str, Any]) -> None:
    pid = Path(settings["pid"])
    while child := os.fork():
        pid.with_suffix(".new").write_text(str(child))
        pid.with_suffix(".new").rename(pid)
        _, status = os.waitpid(child, 0)
        if not (settings["again"] and os.WIFSIGNALED(status)):
            sys.exit(os.waitstatus_to_exitcode(status))
    receive(settings)
    os._exit(0)


def receive(settings: dict[str, Any]) -> None:
    world = World(path=Path(settings["world"]))
    random.seed()

    def judge(key: ModelKey, inbox: Inbox, hold: Hold) -> float | None:
        seen = world.look(key.model)
        Path(settings["pid"]).with_suffix(".judging").touch()
        time.sleep(random.uniform(*settings["seconds"]))  # noqa: S311 - no secret
        if seen.bad:
            inbox.act(
                Action(
                    id=f"{key.model}:{seen.version}",
                    key=key,
                    alias="champion",
                    kind="revert",
                    from_version=str(seen.version),
                    to_version=str(seen.good),
                    reason="bad",
                    at=time.time(),
                )
            )
            hold()
            if world.look(key.model) != seen:
                return 0.0
            time.sleep(0.02)  # as long as a call is on its way
            world.put_back(key.model, seen)
        world.saw(key.model, seen.change)
        return None

    serve(
        Service(
            inbox=open_inbox(settings["inbox"]),
            secrets=(SECRET,),
            keys=lambda name: (ModelKey(server="prod", workspace="", model=name),),
            judge=judge,
            sweep=lambda _inbox: None,  # what was acknowledged is judged without it
            interval=3600.0,
            port=settings["port"],
            lease=settings["lease"],
            patience=settings["patience"],
        )
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
