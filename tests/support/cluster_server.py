"""`signalpost serve` as several processes behind one door, as the environment says.

CLUSTER is how many, CLUSTER_STORE and CLUSTER_SHARE are what they have in common. Each connection goes to the
next of them, as with a load balancer. It ends as the worst of them does.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys

from support.proxy import Proxy

_LISTENING = re.compile(r"signalpost: listening on http://([0-9.]+):([0-9]+)")
_PARENT_DIES = 1  # PR_SET_PDEATHSIG

_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _libc.prctl(_PARENT_DIES, signal.SIGKILL)


def _without(words: list[str], option: str) -> tuple[list[str], str]:
    """The words without an option and its value, and this."""
    place = words.index(option)
    return words[:place] + words[place + 2 :], words[place + 1]


def main(words: list[str]) -> int:
    """Serve until SIGTERM."""
    _die_with_parent()
    words, port = _without(words, "--port")
    words, _ = _without(words, "--data")
    words += ["--port", "0", "--store", os.environ["CLUSTER_STORE"], "--share", os.environ["CLUSTER_SHARE"]]
    nodes = [
        subprocess.Popen(
            [sys.executable, "-m", "signalpost", *words],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=_die_with_parent,
        )
        for _ in range(int(os.environ["CLUSTER"]))
    ]
    signal.signal(signal.SIGTERM, lambda *_: [node.terminate() for node in nodes])
    signal.signal(signal.SIGINT, lambda *_: [node.terminate() for node in nodes])
    addresses = []
    for node in nodes:
        assert node.stdout is not None
        line = node.stdout.readline()
        if not (match := _LISTENING.match(line)):
            print(line, end="")
            for other in nodes:
                other.terminate()
            return max(abs(other.wait()) for other in nodes)
        addresses.append((match[1], int(match[2])))
    with Proxy(addresses, port=int(port)) as door:
        print(f"signalpost: listening on http://{addresses[0][0]}:{door.port}", flush=True)
        return max(abs(node.wait()) for node in nodes)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
