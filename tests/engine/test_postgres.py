"""The kept half in PostgreSQL beyond the port's contract: several nodes, upkeep, what a server is like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest

from engine.driving import NOW, ManualClock, begin, run
from signalpost.engine.failures import SchemaTooNew, StoreError
from signalpost.engine.ports import (
    Appended,
    Arm,
    Conflict,
    Full,
    Head,
    Item,
    Put,
    Receipt,
    Record,
    Unavailable,
)
from signalpost.engine.ports.kept import (
    Attributes,
    Charge,
    Charged,
    DeleteAttribute,
    DeleteAttributes,
    Fields,
    HeadOf,
    Held,
    Include,
    Names,
    Note,
    Noted,
    SetAttribute,
    Stretch,
    Trim,
)
from signalpost.engine.postgres import PostgresKept, renew
from signalpost.engine.postgres.address import Address
from support.postgres import Postgres
from support.steps import append

Open = Callable[..., Any]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def url(postgres: Postgres) -> str:
    return await postgres.fresh()


@pytest.fixture
async def node(url: str, clock: ManualClock) -> AsyncIterator[Open]:
    """Opens one node after the other on the same database."""
    async with AsyncExitStack() as stack:

        async def open_node(**options: Any) -> PostgresKept:
            kept = PostgresKept(url, **{"clock": clock, "power": False, "idle_seconds": 600.0, **options})
            await kept.open()
            stack.push_async_callback(kept.close)
            return kept

        yield open_node


@pytest.fixture
async def database(url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(url, server_settings={"search_path": "signalpost"})
    yield connection
    await connection.close()


async def bodies(kept: PostgresKept, key: str) -> list[bytes]:
    [items] = await run(kept.load(Stretch(key, 0, 100_000)))
    return [item.body for item in items]


# --- what travels together ------------------------------------------------------------------------


async def test_of_commits_that_travel_together_only_those_fail_that_cannot(node: Open) -> None:
    kept = await node()
    asked = [
        kept.commit(append("q", b"1")),
        kept.commit(Put("k", b"1", expect=7)),
        kept.commit(append("q", b"2", max_items=1)),
        kept.commit(append("q", b"3"), Put("k", b"3", expect=0)),
        kept.commit(append("other", b"4"), Include("s", "a"), append("q", b"4", max_items=1)),
        kept.commit(append("q", b"5")),
    ]
    done = await asyncio.gather(*[begin(each) for each in asked], return_exceptions=True)
    assert [type(each) for each in done] == [tuple, Conflict, Full, tuple, Full, tuple]
    assert await bodies(kept, "q") == [b"1", b"3", b"5"]
    assert await bodies(kept, "other") == []
    assert await run(kept.load(Names("s"))) == ({},)


async def test_what_no_column_can_hold_fails_alone(node: Open) -> None:
    kept = await node()
    asked = [kept.commit(append("q", b"x", size=size)) for size in (1, 2**80, 2)]
    done = await asyncio.gather(*[begin(each) for each in asked], return_exceptions=True)
    assert [type(each) for each in done] == [tuple, Unavailable, tuple]
    assert len(await bodies(kept, "q")) == 2


async def test_numbers_beyond_all_numbers_remove_and_find_nothing(node: Open) -> None:
    """SPEC E5: a cursor from nowhere."""
    kept = await node()
    await run(kept.commit(append("q", b"x")))
    await run(kept.commit(Trim("q", 2**200)))
    assert await run(kept.load(Stretch("q", 2**200, 2**100), Stretch("q", -(2**200), 9))) == (
        [],
        [Item((await run(kept.load(HeadOf("q"))))[0].last, b"x")],
    )


ODD = ["a\0b", "\0", "é\U0001f600\ufeff\u202e", "\\x00", "' OR 1=1 --", "\x7f\x80\uffff", "x" * 5000]


@pytest.mark.parametrize("text", ODD, ids=ascii)
async def test_every_text_comes_back_as_it_was(node: Open, text: str) -> None:
    """SPEC M1, P1: U+0000 too, which a text of PostgreSQL cannot hold."""
    kept = await node()
    key = text[:2000]  # more is too much for an index, and the rules for names allow less
    first = append(key, text.encode(), source=key, note=text, dedupe=key, dedupe_ttl=9.0)
    [appended] = await run(kept.commit(first))
    await run(kept.commit(append(key, b"m", durable=False, mark=key)))
    await run(
        kept.commit(
            Put(key, text.encode(), fields={key: text.encode()}),
            Include(key, key, text),
            SetAttribute(key, key, text, 1, (Charge(key),)),
            Note(key, key, text.encode(), 9.0),
            Arm(key, NOW),
        )
    )
    entry, fields, names, stand, charged, noted, receipt = await run(
        kept.load(
            Record(key),
            Fields(key),
            Names(key),
            Attributes(key),
            Charged(key),
            Noted(key, key),
            Receipt(key, key),
        )
    )
    assert entry.value == text.encode()
    assert fields == {key: text.encode()}
    assert names == {key: text}
    assert {name: each.value for name, each in stand.attributes.items()} == {key: text}
    assert charged == Held(1, 1)
    assert noted == text.encode()
    assert receipt == Appended(appended.seq, text, True)
    assert await bodies(kept, key) == [text.encode(), b"m"]
    assert [each.key for each in await run(kept.due(limit=9, lease=1.0))] == [key]


async def test_large_values_come_back_as_they_were(node: Open) -> None:
    kept = await node()
    large = [bytes([n]) * 300_000 for n in range(9)]
    asked = [kept.commit(append("q", body, max_size=2**40)) for body in large]
    asked.append(kept.commit(Put("k", large[0], fields={"f": large[1]})))
    for each in [begin(each) for each in asked]:
        await each
    assert await bodies(kept, "q") == large
    entry, fields = await run(kept.load(Record("k"), Fields("k")))
    assert (entry.value, fields) == (large[0], {"f": large[1]})


async def test_many_commits_at_once_keep_their_order(node: Open) -> None:
    """SPEC M4: also when they are too many for one call."""
    kept = await node()
    started = [begin(kept.commit(append(f"q{n % 3}", b"%d" % n))) for n in range(3000)]
    seqs = [(await each)[0].seq for each in started]
    for queue in range(3):
        assert seqs[queue::3] == list(range(seqs[queue], seqs[queue] + 1000))
        assert await bodies(kept, f"q{queue}") == [b"%d" % n for n in range(queue, 3000, 3)]


# --- several nodes --------------------------------------------------------------------------------


async def test_nodes_that_fill_the_same_queues_never_give_a_number_twice(node: Open) -> None:
    """SPEC M6, N2; and what is taken is given back to whoever sent it (E6), by whichever node."""
    nodes = [await node() for _ in range(3)]

    async def send(number: int, kept: PostgresKept) -> list[int]:
        seqs = []
        for n in range(60):
            step = append(f"q{n % 4}", b"%d-%d" % (number, n), source=f"s{n % 5}", all_items=1000)
            other = append(f"q{(n + 1) % 4}", b"-", source=f"s{(n + 2) % 5}", all_items=1000)
            steps = (step,) if n % 3 else (step, other)
            seqs += [each.seq for each in await run(kept.commit(*steps))]
            if n % 5 == 4:
                [head] = await run(kept.load(HeadOf(f"q{n % 3}")))
                await run(kept.commit(Trim(f"q{n % 3}", head.last - 3)))
        return seqs

    await asyncio.gather(*[send(number, kept) for number, kept in enumerate(nodes) for _ in range(4)])
    for queue in range(4):
        [items, head] = await run(nodes[0].load(Stretch(f"q{queue}", 0, 10_000), HeadOf(f"q{queue}")))
        seqs = [item.seq for item in items]
        assert seqs == sorted(set(seqs))
        assert head.count == len(seqs)
        await run(nodes[queue % 3].commit(Trim(f"q{queue}", head.last)))
    for source in range(5):
        step = append("room", b"x", source=f"s{source}", all_items=1)
        await run(nodes[source % 3].commit(step))


async def test_of_two_nodes_that_expect_the_same_one_conflicts(node: Open) -> None:
    one, two = await node(), await node()
    for n in range(20):
        done = await asyncio.gather(
            *[
                begin(kept.commit(Put(f"k{n}", b"v", expect=0), append("q", b"%d" % n)))
                for kept in (one, two)
            ],
            return_exceptions=True,
        )
        assert sorted(type(each).__name__ for each in done) == ["Conflict", "tuple"]
    assert len(await bodies(one, "q")) == 20


async def test_a_repeat_on_another_node_stores_nothing(node: Open) -> None:
    """SPEC M7, N1."""
    one, two = await node(), await node()
    step = append("q", b"x", note="id", dedupe="r", dedupe_ttl=9.0)
    results = await asyncio.gather(*[begin(kept.commit(step)) for kept in (one, two, one, two)])
    assert sorted(each.repeated for [each] in results) == [False, True, True, True]
    assert len({each.seq for [each] in results}) == 1
    assert await bodies(two, "q") == [b"x"]


async def test_a_timer_is_given_to_one_node(node: Open) -> None:
    """SPEC N3: each acts once."""
    nodes = [await node() for _ in range(3)]
    await run(nodes[0].commit(*[Arm(f"t{n:03}", NOW - 1) for n in range(200)]))
    given: list[str] = []

    async def take(kept: PostgresKept) -> None:
        while due := await run(kept.due(limit=7, lease=60.0)):
            given.extend(each.key for each in due)
            await run(kept.done(*due))

    await asyncio.gather(*[take(kept) for kept in nodes])
    assert sorted(given) == [f"t{n:03}" for n in range(200)]


async def test_who_listens_is_woken_when_something_is_due(url: str) -> None:
    kept = PostgresKept(url, power=False)
    await kept.open()
    woken = asyncio.Event()
    kept.listen(woken.set)
    kept.run(asyncio.get_running_loop())
    try:
        await asyncio.wait_for(woken.wait(), 20)
        assert await run(kept.due(limit=9, lease=60.0)) == []
        woken.clear()
        await run(kept.commit(Arm("k", kept.now() + 0.2)))
        while not (due := await run(kept.due(limit=9, lease=60.0))):
            await asyncio.wait_for(woken.wait(), 20)
            woken.clear()
        assert [each.key for each in due] == ["k"]
    finally:
        kept.stop()
        await kept.close()


async def test_an_attribute_has_a_revision_above_all_that_were_seen(node: Open, clock: ManualClock) -> None:
    """SPEC C10: by whichever node, and after the topic was forgotten."""
    one, two = await node(), await node()
    [rev] = await run(one.commit(SetAttribute("t", "a", "1")))
    [later] = await run(two.commit(SetAttribute("t", "a", "2")))
    assert later > rev
    await run(one.commit(DeleteAttributes("t")))
    [before] = await run(two.load(Attributes("t")))
    clock.advance(601.0)
    while await run(one.sweep()):
        pass
    [stand] = await run(two.load(Attributes("t")))
    assert stand.rev >= before.rev > later
    [last] = await run(two.commit(SetAttribute("t", "a", "3")))
    assert last > stand.rev


# --- upkeep ---------------------------------------------------------------------------------------


async def sweep(kept: PostgresKept) -> None:
    for _ in range(3):
        while await run(kept.sweep()):
            pass


async def test_what_is_over_leaves_nothing_behind(
    node: Open, clock: ManualClock, database: asyncpg.Connection[Any]
) -> None:
    """Memory ends."""
    kept = await node()
    for n in range(300):
        await asyncio.gather(
            begin(kept.commit(append(f"q{n}", b"x", ttl=20.0, source=f"s{n}", dedupe="d", dedupe_ttl=20.0))),
            begin(kept.commit(Put(f"k{n}", b"v", ttl=20.0, fields={"f": b"1"}))),
            begin(kept.commit(Note(f"n{n}", "r", b"", 20.0))),
        )
    await run(kept.commit(SetAttribute("t", "a", "", 5, (Charge("c"),))))
    await run(kept.commit(DeleteAttribute("t", "a")))
    for _ in range(7):
        clock.advance(600.0)
        await sweep(kept)
    tables = "items receipts queues sources records fields notes topics attributes charges"
    for table in tables.split():
        assert await database.fetchval(f"SELECT count(*) FROM {table}") == 0, table


async def test_a_queue_that_was_forgotten_repeats_no_number(node: Open, clock: ManualClock) -> None:
    """SPEC M6: also when the clock was set back meanwhile."""
    kept = await node()
    [first] = await run(kept.commit(append("q", b"x")))
    await run(kept.commit(Trim("q", first.seq)))
    clock.advance(700.0)
    await sweep(kept)
    clock.advance(-5000.0)
    [second] = await run(kept.commit(append("q", b"y")))
    assert second.seq > first.seq


async def test_items_outlive_their_hour_and_its_slot_is_emptied(
    node: Open, clock: ManualClock, database: asyncpg.Connection[Any]
) -> None:
    """Nothing is vacuumed row by row."""
    kept = await node()
    seqs = []
    for n in range(250):
        step = append(f"q{n}", b"%d" % n, source="s", all_items=300, ttl=90_000.0)
        [appended] = await run(kept.commit(step))
        seqs.append(appended.seq)
    for n in range(0, 250, 2):
        await run(kept.commit(Trim(f"q{n}", seqs[n])))
    used = await database.fetchval("SELECT DISTINCT slot FROM items")
    for _ in range(5):
        clock.advance(3600.0)
        await sweep(kept)
    assert await database.fetchval(f"SELECT pg_relation_size('items_{used}')") == 0
    assert await database.fetchval("SELECT array_agg(DISTINCT slot) FROM items") == [0]
    for n in range(250):
        assert await bodies(kept, f"q{n}") == ([b"%d" % n] if n % 2 else [])
    held = await database.fetchval("SELECT sum(items) FROM sources")
    assert held == 125
    await run(kept.commit(Trim("q1", seqs[1])))
    assert await bodies(kept, "q1") == []
    assert await run(kept.load(HeadOf("q1"))) == (Head(seqs[1], seqs[1], 0),)


async def test_a_receipt_outlives_its_slot(node: Open, clock: ManualClock) -> None:
    """SPEC M7: however long it is to be kept."""
    kept = await node()
    step = append("q", b"x", note="id", dedupe="r", dedupe_ttl=5000.0)
    await run(kept.commit(step))
    for _ in range(8):
        clock.advance(600.0)
        await sweep(kept)
        assert (await run(kept.commit(step)))[0].repeated
    clock.advance(600.0)
    assert not (await run(kept.commit(step)))[0].repeated


# --- what the server is like ----------------------------------------------------------------------


async def test_numbers_jump_to_the_clock_on_a_server_of_another_generation(
    node: Open, clock: ManualClock, database: asyncpg.Connection[Any]
) -> None:
    """SPEC N2: it may lack the latest, which were told to somebody."""
    kept = await node()
    [first] = await run(kept.commit(append("q", b"1")))
    clock.advance(50.0)
    await database.execute("UPDATE meta SET generation = 'another server'")
    again = await node()
    [second] = await run(again.commit(append("q", b"2")))
    assert second.seq > (NOW + 50.0) * 1_000_000 > first.seq
    assert again.epoch == kept.epoch


async def test_numbers_and_revisions_go_on_above_all_others_after_a_renewal(node: Open, url: str) -> None:
    """SPEC N2: a dump was restored; nodes that run go by it at once."""
    kept = await node(clock=None)
    [first] = await run(kept.commit(append("q", b"1")))
    [rev] = await run(kept.commit(SetAttribute("t", "a", "1")))
    floor = await renew(url)
    [second] = await run(kept.commit(append("q", b"2")))
    [third] = await run(kept.commit(append("new", b"2")))
    [later] = await run(kept.commit(SetAttribute("t", "a", "2")))
    assert min(second.seq, third.seq) > floor > first.seq
    assert later > floor > rev
    assert await bodies(kept, "q") == [b"1", b"2"]


async def test_power_needs_a_server_that_waits_for_the_disk(url: str) -> None:
    """The line names the setting and what to do."""
    with pytest.raises(StoreError) as raised:
        await PostgresKept(url).open()
    assert "fsync = off" in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_power_needs_confirmations_that_are_on_the_disk() -> None:
    server = Postgres()
    try:
        url = await server.make("lazy")
        kept = PostgresKept(url)
        await kept.open()
        await kept.close()
        connection = await asyncpg.connect(url)
        await connection.execute("ALTER DATABASE lazy SET synchronous_commit = off")
        await connection.close()
        with pytest.raises(StoreError, match="synchronous_commit = off"):
            await PostgresKept(url).open()
        kept = PostgresKept(url, power=False)
        await kept.open()
        await kept.close()
    finally:
        server.close()


async def test_a_role_that_owns_the_database_is_enough(postgres: Postgres) -> None:
    """No superuser, as nobody has one of a managed PostgreSQL."""
    url = await postgres.make("owned")
    connection = await asyncpg.connect(url)
    await connection.execute("DROP ROLE IF EXISTS owner; CREATE ROLE owner LOGIN")
    await connection.execute("ALTER DATABASE owned OWNER TO owner")
    await connection.close()
    kept = PostgresKept(url.replace("signalpost@", "owner@"), power=False, idle_seconds=0.0)
    await kept.open()
    [done] = await run(kept.commit(append("q", b"1", dedupe="r", dedupe_ttl=1.0)))
    await run(kept.commit(Trim("q", done.seq), Put("k", b"v", ttl=0.0)))
    await sweep(kept)
    assert await bodies(kept, "q") == []
    await kept.close()


async def test_tables_of_a_later_version_are_refused(node: Open, database: asyncpg.Connection[Any]) -> None:
    await node()
    await database.execute("UPDATE meta SET version = version + 1")
    with pytest.raises(SchemaTooNew, match="a later version"):
        await node()


async def test_nodes_that_start_at_once_make_the_tables_once(postgres: Postgres) -> None:
    url = await postgres.make("fresh")
    nodes = [PostgresKept(url, power=False, patience=20.0) for _ in range(4)]
    await asyncio.gather(*[kept.open() for kept in nodes])
    assert len({kept.epoch for kept in nodes}) == 1
    for kept in nodes:
        await kept.close()


@pytest.mark.parametrize(
    ("url", "urls", "shown"),
    [
        ("postgresql://h/d", ["postgresql://h/d"], "postgresql://h/d"),
        (
            "postgresql://u:p%40w@a:1,b/d?sslmode=require",
            ["postgresql://u:p%40w@a:1/d?sslmode=require", "postgresql://u:p%40w@b/d?sslmode=require"],
            "postgresql://u@a:1,b/d",
        ),
        ("postgres:///d?host=/run/pg", ["postgres:///d?host=/run/pg"], "postgres:///d"),
    ],
)
def test_a_url_names_hosts_and_is_shown_without_its_password(url: str, urls: list[str], shown: str) -> None:
    assert Address.parse(url) == Address(tuple(urls), shown)


@pytest.mark.parametrize("url", ["mysql://h/d", "h/d", "", "postgresql://[::1/d"])
def test_what_is_no_url_of_a_database_is_refused(url: str) -> None:
    with pytest.raises(StoreError):
        Address.parse(url)


async def test_nodes_that_begin_together_use_the_same_tables(postgres: Postgres) -> None:
    """SPEC N1, M6: whoever waits for another that makes them sees them, and makes none elsewhere."""
    nodes = [PostgresKept(await postgres.make("together"), power=False)]
    nodes += [PostgresKept(postgres.url("together"), power=False) for _ in range(5)]
    try:
        await asyncio.gather(*(node.open() for node in nodes))
        assert len({node.epoch for node in nodes}) == 1
        connection = await asyncpg.connect(postgres.url("together"))
        try:
            assert await connection.fetchval("SELECT to_regclass('public.meta')") is None
            made = "SELECT count(*) FROM pg_class WHERE relname = 'meta'"
            assert await connection.fetchval(made) == 1
        finally:
            await connection.close()
    finally:
        for node in nodes:
            await node.close()
