"""The crowd on one node, which is killed: the judge finds nothing, as nothing is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.crowd import CONFIG, Crowd
from support.server import ServerProcess


@pytest.mark.timeout(180)
async def test_a_crowd_on_one_node_finds_all_as_it_should_be(tmp_path: Path) -> None:
    """SPEC M4-M7, C6, C9, K1-K12, P1-P4: everything at once, and once more behind a crash."""
    with ServerProcess(tmp_path, config=CONFIG.format(grace=5), flags=("--dev",)) as server:
        async with Crowd(lambda: server.url) as crowd:
            await crowd.progress(100, "mail", "say")
            await crowd.progress(3, "call", "wander", "commute", "describe")
            server.kill()
            server.start()
            await crowd.progress(100, "mail", "say")
            await crowd.progress(3, "call", "wander", "commute", "describe")
            await crowd.judged()
