"""A node dies between the two halves of what it does, or behind the only one (SPEC N2, ENGINE: two halves).

Each use case is asked of a node that dies behind its first commit in one half of the engine, before anybody
has learnt that it was done. Who asked comes back elsewhere and asks again, as SDKs do, or has lost a session
and begins anew. All that people see must be a story that one node could have told that lives.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from cluster.crowd import CONFIG
from cluster.people import OURS, WATCHED, Person
from cluster.story import Story, Verdict, judge
from support.client import RawClient
from support.cluster import Cluster
from support.waiting import until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes; those that are not there are started by the test."""
    with Cluster(tmp_path_factory.mktemp("pair"), nodes=2, config=CONFIG.format(grace=20)) as cluster:
        yield cluster


_WITHIN = 60.0  # seconds for all to come right


class Cast:
    """Ada, at the node that dies, and Bo, Cy and a watcher, at others."""

    def __init__(self, cluster: Cluster) -> None:
        self.story = Story()
        self.app = f"app-{uuid.uuid4().hex}"
        self.dying, self.living = cluster.nodes[0], cluster.nodes[1]
        self.ada = self._person("ada")
        self.bo = self._person("bo")
        self.cy = self._person("cy")
        self.watcher = self._person("watcher")

    @property
    def people(self) -> list[Person]:
        """All of them."""
        return [self.ada, self.bo, self.cy, self.watcher]

    def _person(self, account: str) -> Person:
        return Person(self.story, lambda: self._url(account), self.app, account, OURS)

    def _url(self, account: str) -> str:
        process = self.dying.process
        lives = process is not None and process.poll() is None
        return self.dying.url if account == "ada" and lives else self.living.url

    async def doom(self, half: str, deed: Callable[[], Awaitable[object]]) -> None:
        """Have Ada's node die behind the first commit that a deed makes there."""
        self.dying.doom(half)
        done = asyncio.ensure_future(deed())

        async def dead() -> bool:
            assert self.dying.process is not None
            return self.dying.process.poll() is not None

        try:
            await until(dead, f"a commit of {half}", within=30)
            async with asyncio.timeout(_WITHIN):
                await done
        finally:
            done.cancel()
            with suppress(asyncio.CancelledError):
                await done

    async def judged(self) -> None:
        """Everything comes right."""
        for person in self.people:
            if person.here.is_set():
                for side in list(person.calls.values()):
                    await person.hang_up(side.call, _other(side.call, person.account))
        asker = await RawClient.open(self.living.url)
        verdict = Verdict()

        async def right() -> bool:
            nonlocal verdict
            truth = self.story.truth
            for account in truth.online:
                found = await asker.ok("user_query_user_status", account=account)
                truth.found_online[account] = bool(found["status"])
            for (whose, name), attribute in self.story.attributes.items():
                if whose not in ("hall", "yard"):
                    found = await asker.ok("user_get_attr", account=whose, name=name)
                    attribute.found = found["value"]
            for channel in ("hall", "yard"):
                found = await asker.ok("channel_join", name=channel)
                await asker.ok("channel_leave", name=channel)
                truth.found_members[channel] = {account for account, _ in found["list"]} - {"asker"}
                truth.members[channel] = {
                    each.account for each in self.people if channel in each.wanted and each.here.is_set()
                }
                for (whose, name), attribute in self.story.attributes.items():
                    if whose == channel:
                        attribute.found = found["attrs"].get(name, "")
            verdict = judge(self.story)
            return bool(verdict) or bool(verdict.wrong)

        try:
            await asker.login("asker", app=self.app)
            await until(right, "everything is right", within=_WITHIN)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{verdict}") from None
        finally:
            await asker.close()
        assert verdict, str(verdict)


def _other(call: str, account: str) -> str:
    """The other party of a call, which has both in its name."""
    caller, callee = call.split("-")[1:3]
    return callee if account == caller else caller


@asynccontextmanager
async def cast(cluster: Cluster) -> AsyncIterator[Cast]:
    """All are there, Ada and Bo in the hall."""
    for node in cluster.nodes:
        if node.process is None or node.process.poll() is not None:
            node.mortal = True
            node.spare()
            await cluster.start(node)
    cast = Cast(cluster)
    try:
        await cast.watcher.come()
        await cast.watcher.enter(WATCHED)
        await cast.watcher.enter("hall")
        for person in (cast.bo, cast.ada):
            await person.come()
            await person.enter("hall")
        yield cast
    finally:
        for person in cast.people:
            await person.vanish()


async def rings(cast: Cast, caller: Person, callee: Person) -> str:
    """A call rings."""
    name = f"call-{caller.account}-{callee.account}"
    await caller.call(callee.account, name)

    async def confirmed() -> bool:
        return "confirmed" in cast.story.calls[name, caller.account].words

    await until(confirmed, "the call rings")
    return name


# --- what Ada does when her node dies -------------------------------------------------------------

Deed = Callable[[Cast], Awaitable[Callable[[], Awaitable[object]]]]
"""Prepares, and returns what is to be done then."""


async def sends(cast: Cast) -> Callable[[], Awaitable[object]]:
    return lambda: cast.ada.mail("bo", "m1")


async def sends_to_who_is_away(cast: Cast) -> Callable[[], Awaitable[object]]:
    async def deed() -> None:
        await cast.ada.mail("cy", "m1")
        await cast.cy.come()

    return deed


async def speaks(cast: Cast) -> Callable[[], Awaitable[object]]:
    return lambda: cast.ada.say("hall", "c1")


async def labels(cast: Cast) -> Callable[[], Awaitable[object]]:
    await cast.ada.label("hall", "topic", "before")
    return lambda: cast.ada.label("hall", "topic", "after")


async def describes(cast: Cast) -> Callable[[], Awaitable[object]]:
    return lambda: cast.ada.describe("colour", "green")


async def leaves(cast: Cast) -> Callable[[], Awaitable[object]]:
    return lambda: cast.ada.exit("hall")


async def enters_another(cast: Cast) -> Callable[[], Awaitable[object]]:
    await cast.bo.label("yard", "topic", "something")
    return lambda: cast.ada.enter("yard")


async def logs_out(cast: Cast) -> Callable[[], Awaitable[object]]:
    await rings(cast, cast.ada, cast.bo)
    return lambda: cast.ada.log_out()


async def logs_in(cast: Cast) -> Callable[[], Awaitable[object]]:
    await cast.ada.log_out()
    return lambda: cast.ada.come()


async def invites(cast: Cast) -> Callable[[], Awaitable[object]]:
    return lambda: cast.ada.call("bo", "call-ada-bo")


async def invites_who_is_away(cast: Cast) -> Callable[[], Awaitable[object]]:
    async def deed() -> None:
        await cast.ada.call("cy", "call-ada-cy", seconds=5)
        await cast.cy.come()

    return deed


async def accepts(cast: Cast) -> Callable[[], Awaitable[object]]:
    name = await rings(cast, cast.bo, cast.ada)
    return lambda: cast.ada.answer(name, "bo", accept=True)


async def refuses(cast: Cast) -> Callable[[], Awaitable[object]]:
    name = await rings(cast, cast.bo, cast.ada)
    return lambda: cast.ada.answer(name, "bo", accept=False)


async def hangs_up(cast: Cast) -> Callable[[], Awaitable[object]]:
    name = await rings(cast, cast.ada, cast.bo)
    await cast.bo.answer(name, "ada", accept=True)
    return lambda: cast.ada.hang_up(name, "bo")


DEEDS: list[tuple[Deed, tuple[str, ...]]] = [
    (sends, ("kept",)),
    (sends_to_who_is_away, ("kept",)),
    (speaks, ("shared",)),
    (labels, ("kept", "shared")),
    (describes, ("kept",)),
    (leaves, ("shared",)),
    (enters_another, ("shared",)),
    (logs_out, ("kept", "shared")),
    (logs_in, ("shared",)),
    (invites, ("kept",)),
    (invites_who_is_away, ("kept",)),
    (accepts, ("kept",)),
    (refuses, ("kept",)),
    (hangs_up, ("kept",)),
]


SAMPLE = (sends, labels, logs_out, invites)


def _cases() -> Iterator[Any]:
    for deed, halves in DEEDS:
        for half in halves:
            marks = [] if deed in SAMPLE else [pytest.mark.long]
            yield pytest.param(deed, half, id=f"{deed.__name__}-{half}", marks=marks)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("deed", "half"), list(_cases()))
async def test_a_node_dies_in_the_middle(pair: Cluster, deed: Deed, half: str) -> None:
    """SPEC N2, N3."""
    async with cast(pair) as people:
        what = await deed(people)
        await people.doom(half, what)
        await people.judged()
