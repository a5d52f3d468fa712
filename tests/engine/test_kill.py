"""A process that is killed loses nothing that it acknowledged."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from engine.driving import append, run
from engine.over_kept import QueuesOf
from signalpost.engine.ports import Appended
from signalpost.engine.sqlite import Store, sqlite_kept

ROUNDS = 10
APPENDER = Path(__file__).with_name("appender.py")


def acknowledged_until_killed(directory: Path, *, offset: float, turn: int, lines: int) -> list[list[str]]:
    """Run the appender, kill it after so many lines, return all whole lines."""
    command = [sys.executable, str(APPENDER), str(directory), str(offset), str(turn)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        seen = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        seen += child.stdout.readlines()
    return [line.decode().split() for line in seen if line.endswith(b"\n")]


async def test_nothing_acknowledged_is_lost_reordered_or_renumbered_by_kill_9(tmp_path: Path) -> None:
    """SPEC M5, M6: also when the clock is set back before each restart."""
    chance = random.Random(7)
    kept: dict[str, dict[int, bytes]] = defaultdict(dict)  # acknowledged and durable
    told: dict[str, set[int]] = defaultdict(set)  # acknowledged at all
    for turn in range(ROUNDS):
        offset = -600.0 * turn
        lines = chance.randrange(1, 1500)
        for key, seq, body, durable in acknowledged_until_killed(
            tmp_path / "data", offset=offset, turn=turn, lines=lines
        ):
            assert int(seq) not in told[key]
            told[key].add(int(seq))
            if durable == "1":
                kept[key][int(seq)] = body.encode()
    store = Store(tmp_path / "data", loop=asyncio.get_running_loop())
    queues = QueuesOf(sqlite_kept(store, clock=lambda: time.time() - 600.0 * ROUNDS))
    assert len(kept) == 5
    for key, wanted in kept.items():
        found = {item.seq: item.body for item in await run(queues.read(key, after=0, limit=10**9))}
        assert {seq: found.get(seq) for seq in wanted} == wanted
        assert list(found) == sorted(found)
        by_chain: dict[bytes, list[int]] = defaultdict(list)
        for body in found.values():
            chain, _, count = body.rpartition(b".")
            by_chain[chain].append(int(count))
        assert all(counts == sorted(set(counts)) for counts in by_chain.values())
        seq, body = next(iter(wanted.items()))
        again = await run(append(queues, key, b"", dedupe=body.decode(), dedupe_ttl=3600.0))
        assert again == Appended(seq, body.decode(), True)
        assert (await run(append(queues, key, b"new"))).seq > max(told[key])
    await store.close()
