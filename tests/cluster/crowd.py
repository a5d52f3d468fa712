"""A dozen people who do everything that a server is for, all at once, and hold it to its promises at the end.

What each of them does is a small loop; chance decides the rest. There is always somebody who writes, somebody
who speaks, members who come and go, calls in every state, and people who log out and in.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

from cluster.people import OURS, PYTHON, WATCHED, WEB, Person
from cluster.story import Story, Verdict, judge
from support.client import RawClient
from support.waiting import until

__all__ = ["CONFIG", "Crowd"]

CONFIG = """
[limits]
user_messages = 1000000
channel_messages = 1000000
requests = 1000000
requests_burst = 1000000
logins = 1000000
logins_burst = 1000000
grace_min = {grace}
grace_max = {grace}
"""

_HALL, _YARD = "hall", "yard"
_WITHIN = 60.0  # seconds for all to come right at the end
_PAUSE = 0.03  # seconds between two deeds of one person, more or less
_AT_ONCE = 8  # messages of one person that are under way


class Crowd:
    """Everybody, and their story.

    Many fields: one a group of people.
    """

    def __init__(self, url: Callable[[], str]) -> None:
        """`url` says where the next connection goes."""
        self.story = Story()
        self.done: Counter[str] = Counter()  # what was done, and succeeded
        self.url = url
        self.app = f"app-{uuid.uuid4().hex}"
        self._names = map("{}".format, itertools.count(1)).__next__  # used once
        self.ours = [self._person(f"ours{number}", OURS) for number in range(5)]
        self.webs = [self._person(f"web{number}", WEB) for number in range(2)]
        self.python = self._person("python", PYTHON)
        self.watcher = self._person("watcher", OURS)
        self.wanderer = self._person("wanderer", OURS)
        self.commuters = [self._person("commuter0", OURS), self._person("commuter1", WEB)]
        self.ghost = self._person("ghost", OURS)  # who goes without a word, before the end
        self._loops: list[asyncio.Task[None]] = []  # what everybody does
        self._busy = False
        self._ringing: set[asyncio.Task[Any]] = set()

    @property
    def people(self) -> list[Person]:
        """Everybody."""
        return [
            *(*self.ours, *self.webs, self.python),
            *(self.watcher, self.wanderer, *self.commuters, self.ghost),
        ]

    def _person(self, account: str, device: str) -> Person:
        person = Person(self.story, lambda: self.url(), self.app, account, device)
        person.rang = self._rang
        return person

    # --- the course of things ---------------------------------------------------------------------

    async def come(self) -> None:
        """All come, and begin."""
        await self.watcher.come()
        await self.watcher.enter(WATCHED)
        await self.watcher.enter(_HALL)
        for person in self.people:
            if person is not self.watcher:
                await person.come()
        for person in (*self.ours, *self.webs, self.wanderer, self.ghost):
            await person.enter(_HALL)
        self._busy = True
        for work in (
            *(self._write(person) for person in (*self.ours, *self.webs)),
            *(self._speak(person) for person in (*self.ours[:3], self.webs[0])),
            *(self._ring(person) for person in (*self.ours[:3], self.webs[1])),
            *(self._describe(person) for person in (self.ours[0], self.webs[0])),
            *(self._commute(person) for person in self.commuters),
            self._wander(self.wanderer),
        ):
            self._loops.append(asyncio.get_running_loop().create_task(work))

    async def progress(self, count: int, *whats: str, within: float = 60.0) -> None:
        """Let so much more be done of each: `mail`, `say`, `call`, `describe`, `wander`, `commute`."""
        goal = {what: self.done[what] + count for what in whats or ("mail", "say")}

        async def reached() -> bool:
            for loop in self._loops:
                if loop.done():
                    await loop
            return all(self.done[what] >= number for what, number in goal.items())

        await until(reached, f"{goal}; done is {dict(self.done)}", within=within)

    async def rest(self) -> None:
        """All stop what they are doing, and stay."""
        self._busy = False
        async with asyncio.timeout(_WITHIN):
            await asyncio.gather(*self._loops)
            await asyncio.gather(*self._ringing)
        self._loops.clear()

    async def judged(self) -> None:
        """The end: who is there stays, somebody vanishes, and everything has to come right."""
        await self.rest()
        await self.ghost.vanish()
        for (_, receiver), mailing in self.story.mailings.items():
            mailing.repeats = receiver == self.python.account
        for person in self.people:
            for side in list(person.calls.values()):
                await person.hang_up(side.call, "")
        verdict = Verdict()
        asker = await self._asker()

        async def right() -> bool:
            nonlocal verdict, asker
            try:
                await self._look(asker)
            except (AssertionError, OSError):  # its node is gone, or a store is
                await asker.close()
                asker = await self._asker()
                return False
            verdict = judge(self.story)
            return bool(verdict) or bool(verdict.wrong)

        try:
            await until(right, "everything is right", within=_WITHIN)
        except AssertionError:
            raise AssertionError(f"{verdict}\n{dict(self.done)}") from None
        finally:
            await asker.close()
        assert verdict, f"{verdict}\n{dict(self.done)}"

    async def leave(self) -> None:
        """Everybody is gone, however things stand."""
        self._busy = False
        for task in (*self._loops, *self._ringing):
            task.cancel()
        await asyncio.gather(*self._loops, *self._ringing, return_exceptions=True)
        for person in self.people:
            await person.vanish()

    async def __aenter__(self) -> Crowd:
        await self.come()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def _asker(self) -> RawClient:
        """Somebody who was never there before."""
        client = RawClient(None)  # type: ignore[arg-type]  # replaced at once

        async def there() -> bool:
            nonlocal client
            try:
                client = await RawClient.open(self.url(), open_timeout=4)
                error, body = await client.try_login(f"asker{self._names()}", app=self.app)
            except (AssertionError, OSError):
                return False
            client.line = body.get("line", "")
            return not error

        await until(there, "somebody can ask", within=_WITHIN)
        return client

    async def _look(self, asker: RawClient) -> None:
        truth = self.story.truth
        for account in truth.online:
            found = await asker.ok("user_query_user_status", account=account)
            truth.found_online[account] = bool(found["status"])
        for channel in (_HALL, _YARD):
            truth.members[channel] = {
                each.account for each in self.people if channel in each.wanted and each.here.is_set()
            }
            found = await asker.ok("channel_query_userlist", name=channel)
            truth.found_members[channel] = {account for account, _ in found["list"]}
        joined = await asker.ok("channel_join", name=_HALL)
        await asker.ok("channel_leave", name=_HALL)
        for (whose, name), attribute in self.story.attributes.items():
            if whose == _HALL:
                attribute.found = joined["attrs"].get(name, "")
            else:
                attribute.found = (await asker.ok("user_get_attr", account=whose, name=name))["value"]

    # --- what they do -----------------------------------------------------------------------------

    async def _pause(self) -> None:
        await asyncio.sleep(random.uniform(0, 2 * _PAUSE))

    def _somebody(self, but: Person) -> Person:
        return random.choice([each for each in (*self.ours, *self.webs) if each is not but])

    async def _write(self, person: Person) -> None:
        """Messages to everybody, those who are away included, several under way at once."""
        peers = [each.account for each in self.people if each is not person]
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(peer: str) -> None:
            text = f"m{self._names()}"
            await person.mail(peer, text)
            self.done["mail"] += text in self.story.mailings[person.account, peer].stored
            places.release()

        under_way: set[asyncio.Task[None]] = set()
        while self._busy:
            await places.acquire()
            task = asyncio.get_running_loop().create_task(one(random.choice(peers)))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            await self._pause()
        await asyncio.gather(*under_way)

    async def _speak(self, person: Person) -> None:
        while self._busy:
            await self._pause()
            if _HALL in person.stays:
                text = f"c{self._names()}"
                await person.say(_HALL, text)
                self.done["say"] += self.story.said[text].accepted

    async def _ring(self, person: Person) -> None:
        while self._busy:
            await self._pause()
            name, peer = f"call{self._names()}", self._somebody(person)
            side = await person.call(peer.account, name)
            for _ in range(random.randrange(30)):
                if name not in person.calls or "accepted" in side.words:
                    break
                await asyncio.sleep(0.05)
            await self._pause()
            await person.hang_up(name, peer.account)
            self.done["call"] += "accepted" in side.words

    def _rang(self, person: Person, name: str, peer: str) -> None:
        task = asyncio.get_running_loop().create_task(self._take(person, name, peer))
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)

    async def _take(self, person: Person, name: str, peer: str) -> None:
        """Somebody is called: takes it, refuses it, or lets it ring."""
        await self._pause()
        chance = random.random()
        if chance < 0.8:
            await person.answer(name, peer, accept=chance < 0.6)
        if chance < 0.2:
            await self._pause()
            await person.hang_up(name, peer)

    async def _describe(self, person: Person) -> None:
        for number in itertools.count(1):
            if not self._busy:
                return
            await person.describe("number", str(number))
            await person.label(_HALL, f"of {person.account}", str(number))
            self.done["describe"] += 1
            await asyncio.sleep(0.15)

    async def _wander(self, person: Person) -> None:
        while self._busy:
            await person.enter(_YARD)
            await self._pause()
            await person.enter(_HALL)
            await self._pause()
            await person.exit(_HALL)
            await person.enter(_HALL)
            self.done["wander"] += 1

    async def _commute(self, person: Person) -> None:
        while self._busy:
            await asyncio.sleep(random.uniform(0.1, 0.5))
            await person.log_out()
            await asyncio.sleep(random.uniform(0, 0.3))
            await person.come()
            self.done["commute"] += 1
