"""What a start costs when there is much in the data directory."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.driving import begin
from signalpost.app import Server
from signalpost.config import Config
from signalpost.domain.apps import App
from signalpost.engine.ports import Arm, Put, Record
from signalpost.engine.ports.kept import Attributes, SetAttribute
from signalpost.engine.sqlite import Store, sqlite_kept
from signalpost.services.keys import attributes_key, channel_key, inbox_key, topic_key
from signalpost.services.stored import ATTRIBUTES, TEXT

ACCOUNTS = 5_000


@pytest.mark.parametrize("due", [1.0, 3600.0], ids=["due since long", "due later"])
async def test_a_start_does_nothing_for_each_account_that_has_attributes(tmp_path: Path, due: float) -> None:
    """SPEC P3, E5: however many there are, nothing is committed or kept in memory for one of them."""
    clock = asyncio.get_running_loop().time
    store = Store(tmp_path / "data", loop=asyncio.get_running_loop(), durability="process")
    kept = sqlite_kept(store, clock=clock)
    keys = [attributes_key(inbox_key("app", f"a{n}")) for n in range(ACCOUNTS)]
    fields = {"mood": TEXT.encode("good")}
    own = ATTRIBUTES.encode({"_conn_timeout": "20"})
    started = [begin(kept.commit(Put(key, own, fields=fields), Arm(key, clock() + due))) for key in keys]
    await asyncio.gather(*started)
    await store.close()
    server = Server(
        Config(data=str(tmp_path / "data"), port=0, apps={"app": App()}), clock=lambda: clock() + 60.0
    )
    await server.start()
    try:
        store = server._engine._store  # type: ignore[attr-defined]
        assert store.journal.meter.commits <= 1  # of the ceiling of numbers
        assert server._kept.parts.records._records == {}
    finally:
        await server.stop()


async def test_channels_with_attributes_of_an_earlier_version_live_on_after_a_start(tmp_path: Path) -> None:
    """SPEC C8: the timer that they are given is due at once, and looks how long they are to live."""
    clock = asyncio.get_running_loop().time
    store = Store(tmp_path / "data", loop=asyncio.get_running_loop(), durability="process")
    kept = sqlite_kept(store, clock=clock)
    topic = topic_key("app", "room")
    await begin(kept.commit(SetAttribute(topic, "a", "1"), Arm(channel_key(topic), 0.0)))
    key = attributes_key(inbox_key("app", "ada"))
    await begin(kept.commit(Put(key, ATTRIBUTES.encode({"_conn_timeout": "20"})), Arm(key, 0.0)))
    await store.close()
    server = Server(Config(data=str(tmp_path / "data"), port=0, apps={"app": App()}))
    await server.start()
    try:
        for _ in range(20):
            server._janitor.wake()
            await asyncio.sleep(0)
        stand, entry = await begin(server._kept.load(Attributes(topic), Record(key)))
        assert stand.attributes["a"].value == "1"
        assert entry is not None
    finally:
        await server.stop()
