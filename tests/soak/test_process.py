"""Memory comes back: in a real server under real connections, as the operating system counts it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from urllib.request import urlopen

import pytest

from soak.traffic import Traffic
from support.server import ServerProcess

_RATE = 4_000  # requests a second
_SECONDS = float(os.environ.get("SOAK_SECONDS", "12"))
_WARM = 5.0
_PATIENCE = 60  # seconds until all that lasts some seconds has to be gone

# Whatever lasts, lasts some seconds; rates are no matter.
_CONFIG = """
[limits]
user_messages = 1_000_000
channel_messages = 1_000_000
requests = 1_000_000
requests_burst = 1_000_000
logins = 1_000_000
logins_burst = 1_000_000
inbox_messages = 2_000
inbox_call_reserve = 2_000
inbox_seconds = 2.0
attribute_seconds = 2.0
grace_min = 1.0
grace_max = 2.0
peer_wait = 1.0
confirm_wait = 1.0
ring_max = 1.0
request_memory = 2.0
history_seconds = 2.0
channel_seconds = 2.0
"""


def _resident(server: ServerProcess) -> int:
    """The process's resident memory, in KiB."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def _gauges(server: ServerProcess) -> dict[str, float]:
    """Sessions and channels, as the server counts them."""
    with urlopen(f"{server.http}/metrics", timeout=20) as answer:
        lines = [line.split() for line in answer.read().decode().splitlines()]
    wanted = ("signalpost_sessions", "signalpost_channels")
    return {line[0]: float(line[1]) for line in lines if line[0] in wanted}


@pytest.mark.timeout(_SECONDS + 180.0)
async def test_a_process_is_as_small_after_a_load_as_after_its_first_seconds(directory: Path) -> None:
    """SPEC E5: within a tenth. In these all is made that is made once, and the reserves of the allocator."""
    with ServerProcess(directory, config=_CONFIG, flags=("--dev",)) as server:
        traffic = Traffic(server.port)
        await traffic.open()
        await traffic.flow(_WARM, rate=_RATE)
        before = _resident(server)
        await traffic.flow(_SECONDS, rate=_RATE)
        still = {"signalpost_sessions": float(len(traffic.talkers)), "signalpost_channels": 0.0}
        for _ in range(_PATIENCE):
            after, gauges = _resident(server), await asyncio.to_thread(_gauges, server)
            if after <= before * 1.1 and gauges == still:
                break
            await asyncio.sleep(1.0)
        traffic.close()
    assert traffic.refused == {}
    assert gauges == still
    assert after <= before * 1.1, f"{before} KiB before, {after} after {dict(traffic.done)}"
