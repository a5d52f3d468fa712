/** How callbacks are kept and called: late ones, promises, exceptions, acknowledgement (SPEC S6, M6). */
import { expect, onTestFinished, test, vi } from "vitest";
import Source from "../../src/drop-in.js";
import { Delivery } from "../../src/facade/delivery.js";
import { House, STATUS, User, WAIT } from "./people.js";

const PATIENT = { timeout: WAIT };

/** What is said by `console.error`, from now on. */
function complaints(): unknown[][] {
  const spy = vi.spyOn(console, "error").mockImplementation(() => undefined);
  onTestFinished(() => {
    spy.mockRestore();
  });
  return spy.mock.calls;
}

/** Let everything run that can run without a timer or the network. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("SPEC S6: callbacks that are set when the call has returned are called", async () => {
  const session = new House().signal().login("ada", "any");
  expect(await new Promise((resolve) => (session.onLoginSuccess = resolve))).toBe(0);
  const room = session.channelJoin("room");
  expect(await new Promise((resolve) => (room.onChannelUserList = resolve))).toEqual([["ada", 0]]);
  const call = session.channelInviteUser2("room", "");
  expect(await new Promise((resolve) => (call.onInviteFailed = resolve))).toContain("1004");
  session.logout();
  expect(await new Promise((resolve) => (session.onLogout = resolve))).toBe(101);
});

test("SPEC S6: a callback is called with its object as this", async () => {
  const session = new House().signal().login("ada", "any");
  const self = await new Promise((resolve) => {
    session.onLoginSuccess = function (this: unknown) {
      resolve(this);
    };
  });
  expect(self).toBe(session);
  session.logout();
});

test("SPEC S4: nobody has to listen; messages count as seen", async () => {
  const house = new House();
  const session = house.signal().login("ada", "any");
  const bo = await house.user("bo");
  session.channelJoin("room").messageChannelSend("x");
  bo.session.messageInstantSend("ada", "unread", bo.answer("cb"));
  await bo.expect("cb", false);
  bo.invite("room", "ada");
  await bo.expect("onInviteReceivedByPeer", "");
  session.logout();
  await bo.expectFailure(703);
  await (await house.user("ada")).quiet();
});

test("SPEC S4: an exception is logged and harms nothing; the message counts as seen", async () => {
  const said = complaints();
  const house = new House();
  const [ada, bo] = await house.two();
  const fail = (_: string, __: number, text: string): never => {
    ada.put([text]);
    throw new RangeError("the application's own");
  };
  const failLater = async (account: string, uid: number, text: string): Promise<void> => {
    await Promise.resolve();
    fail(account, uid, text);
  };
  for (const callback of [fail, failLater]) {
    ada.session.onMessageInstantReceive = callback;
    for (const text of ["one", "two"]) {
      bo.session.messageInstantSend("ada", text, () => {
        throw new RangeError("in cb");
      });
      await ada.expect(text);
    }
  }
  expect(ada.session.state).toBe(2);
  await bo.quiet();
  const texts = said.map(([text]) => text);
  expect(
    texts.filter((text) => text === "signalpost: the callback onMessageInstantReceive failed:"),
  ).toHaveLength(4);
  expect(texts.filter((text) => text === "signalpost: the callback cb failed:")).toHaveLength(4);
  for (const [, error] of said) expect(error).toBeInstanceOf(RangeError);
  ada.session.logout();
  await ada.expect("onLogout", 101);
  await (await house.user("ada")).quiet(); // nothing is offered again
});

test("SPEC S6: no callback runs inside the call that causes it, inside callbacks neither", async () => {
  const ada = await new House().user("ada");
  let inside = false;
  const told = (...args: unknown[]): void => {
    expect(inside).toBe(false);
    ada.put(["told", ...args]);
  };
  ada.session.onLogout = told;
  ada.session.invoke(STATUS, { account: "bo" }, () => {
    inside = true;
    ada.session.messageInstantSend("", "x", told);
    ada.session.invoke("", {}, told);
    ada.session.channelJoin("").onChannelJoinFailed = told;
    ada.session.channelInviteUser2("room", "").onInviteFailed = told;
    ada.session.onError = told;
    ada.session.messageInstantSend("", "x");
    ada.session.logout();
    inside = false;
  });
  const counts: number[] = [];
  for (let count = 0; count < 6; count++) counts.push((await ada.next()).length);
  expect(counts).toEqual([3, 3, 2, 2, 4, 2]);
});

test("SPEC S6: an app that tries again at once, for ever, leaves the page its turns", async () => {
  const house = new House();
  const signal = house.signal();
  const ada = await house.user("ada");
  let [sends, logins] = [0, 0];
  let goesOn = true;
  const send = (): void => {
    sends++;
    if (goesOn) ada.session.messageInstantSend("", "x", send);
  };
  const enter = (): void => {
    logins++;
    if (goesOn) signal.login("", "").onLoginFailed = enter;
  };
  send();
  enter();
  await vi.waitFor(() => {
    expect(Math.min(sends, logins)).toBeGreaterThan(100);
  }, PATIENT);
  ada.session.messageInstantSend("ada", "meanwhile", ada.answer("cb"));
  await ada.expectAll(["cb", false], ["onMessageInstantReceive", "ada", 0, "meanwhile"]);
  goesOn = false;
});

// --- promises ---

test("SPEC S4: callbacks that return promises begin in order, and may end later", async () => {
  const [ada, bo] = await new House().two();
  const [begun, ended]: [string[], string[]] = [[], []];
  let goOn: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  ada.session.onMessageInstantReceive = async (_, __, text) => {
    begun.push(text);
    await gate;
    ended.push(text);
  };
  const texts = Array.from({ length: 20 }, (_, number) => `${number}`);
  for (const text of texts) bo.session.messageInstantSend("ada", text, bo.answer("cb"));
  for (const _ of texts) await bo.expect("cb", false);
  await ada.quiet();
  expect([begun, ended]).toEqual([texts, []]);
  goOn();
  await settle();
  expect(ended).toEqual(texts);
});

test("SPEC M6: a message is acknowledged when its callback's promise is settled", async () => {
  const house = new House();
  const bo = await house.user("bo");
  let goOn: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const device = async (): Promise<User> => {
    const user = house.enter("ada");
    user.session.onMessageInstantReceive = async (_, __, text) => {
      user.put(["began", text]);
      await gate;
      user.put(["ended", text]);
    };
    await user.expect("onLoginSuccess", 0);
    return user;
  };
  const first = await device();
  bo.session.messageInstantSend("ada", "hello", bo.answer("cb"));
  await bo.expect("cb", false);
  await first.expect("began", "hello");
  await new Promise((resolve) => setTimeout(resolve, 400)); // time enough for an acknowledgement, if one came

  const second = await device();
  await first.expect("onLogout", 103);
  await second.expect("began", "hello");
  goOn();
  for (const user of [first, second]) await user.expect("ended", "hello");
  second.session.logout();
  await second.expect("onLogout", 101);
  await (await house.user("ada")).quiet();
});

test("SPEC S4: at most a thousand promises are unfinished; then what comes next waits", async () => {
  const seen: number[] = [];
  const delivery = new Delivery({ told: () => true, seen: (mark) => void seen.push(mark) });
  const gates: (() => void)[] = [];
  const owner = {
    callback: () => new Promise<void>((resolve) => gates.push(resolve)),
  };
  for (let number = 0; number < 1100; number++) delivery.tell(owner, "callback", [], number + 1);
  await vi.waitFor(() => {
    expect(gates).toHaveLength(1000);
  }, PATIENT);
  await settle();
  expect([gates.length, seen]).toEqual([1000, []]);
  gates[7]?.();
  await settle();
  expect([gates.length, seen]).toEqual([1001, [8]]);
  for (let number = 0; number < 1100; number++) {
    await vi.waitFor(() => {
      expect(gates.length).toBeGreaterThan(number);
    }, PATIENT);
    gates[number]?.();
  }
  await vi.waitFor(() => {
    expect(seen).toHaveLength(1100);
  }, PATIENT);
});

test("SPEC C9: 20 000 callbacks that wait are a crowd", async () => {
  const delivery = new Delivery({ told: () => true, seen: () => undefined });
  let begun = 0;
  const owner = { callback: () => new Promise(() => begun++) };
  for (let count = 0; count < 1000; count++) delivery.tell(owner, "callback", []);
  await vi.waitFor(() => {
    expect(begun).toBe(1000);
  }, PATIENT);
  for (let count = 0; count < 19_999; count++) delivery.tell(owner, "callback", []);
  expect(delivery.isCrowded).toBe(false);
  delivery.tell(owner, "callback", []);
  expect(delivery.isCrowded).toBe(true);
});

test("SPEC C9: in a crowd, channel events are left out; how many is told with the next one", async () => {
  const house = new House();
  const bo = await house.user("bo");
  const signal = Source(house.app);
  signal.setup_debugging("ap_url", house.url);
  const ada = new User(signal.login("ada", "any"));
  house.users.push(ada);
  await ada.expect("onLoginSuccess", 0);
  await ada.join("room");
  const room = await bo.join("room", ["ada"]);
  await ada.expect("onChannelUserJoined", "bo", 0);
  const crowd = vi.spyOn(Delivery.prototype, "isCrowded", "get").mockReturnValue(true);
  for (let number = 0; number < 5; number++) room.messageChannelSend("left out");
  for (let number = 0; number < 5; number++) await bo.expect("onMessageChannelReceive", "bo", 0, "left out");
  bo.session.messageInstantSend("ada", "kept", bo.answer("cb"));
  await bo.expect("cb", false);
  await ada.expect("onMessageInstantReceive", "bo", 0, "kept");
  crowd.mockReturnValue(false);
  room.messageChannelSend("told");
  await bo.expect("onMessageChannelReceive", "bo", 0, "told");
  await ada.expect("onError", "channel_join", 1000, "5 events of the channel room were missed");
  await ada.expect("onMessageChannelReceive", "bo", 0, "told");
  crowd.mockReturnValue(true);
  room.messageChannelSend("left out");
  await bo.expect("onMessageChannelReceive", "bo", 0, "left out");
  ada.session.logout();
  await ada.expect("onError", "channel_join", 1000, "1 events of the channel room were missed");
  await ada.expect("onChannelLeaved", 603);
  await ada.expect("onLogout", 101);
  await bo.expect("onChannelUserLeaved", "ada", 0);
  crowd.mockRestore();
});
