/** `Signal`, method by method, and what logging in twice means (SPEC §2). */
import { expect, onTestFinished, test, vi } from "vitest";
import { House, QUICK, relayed, type User } from "./people.js";
import { Signal } from "./script.js";

/** What is written to the console, from now on. */
function written(): string[] {
  const lines: string[] = [];
  for (const name of ["log", "warn", "error"] as const) {
    const spy = vi.spyOn(console, name).mockImplementation((...parts: unknown[]) => {
      lines.push(`${name} ${parts.map(String).join(" ")}`);
    });
    onTestFinished(() => {
      spy.mockRestore();
    });
  }
  return lines;
}

test("Signal.login: SPEC L1, it gives a session at once, and one callback follows", async () => {
  const user = new House().enter("ada");
  expect([user.session.account, user.session.state]).toEqual(["ada", 1]);
  expect(user.isIdle).toBe(true);
  await user.expect("onLoginSuccess", 0);
  expect(user.session.state).toBe(2);
});

test("SPEC §1: a number is a name in digits, whatever its size", async () => {
  const house = new House();
  const [ada, bo] = [await house.user(1e21), await house.user(42)];
  expect([ada.session.account, bo.session.account]).toEqual(["1000000000000000000000", "42"]);
  bo.session.messageInstantSend(1e21, "hi", bo.answer("cb"));
  await bo.expect("cb", false);
  await ada.expect("onMessageInstantReceive", "42", 0, "hi");
});

test("Signal.setDoLog: SPEC S8, off in the beginning; then lines from a level on, without secrets", async () => {
  const lines = written();
  const house = new House();
  const signal = house.signal();
  const ada = await house.user("ada", { token: "a-secret-token", signal });
  expect(lines).toEqual([]);

  signal.setDoLog(true, "INFO");
  signal.login("ada", "a-secret-token");
  await ada.expect("onLoginSuccess", 0);
  expect(lines.splice(0)).toEqual(["log signalpost INFO ada: 208: login while logged in, nothing done"]);

  signal.setDoLog(true, "WARNING");
  signal.login("ada", "a-secret-token");
  await ada.expect("onLoginSuccess", 0);
  expect(lines).toEqual([]);

  signal.setDoLog(true);
  const bo = await house.user("bo", { token: "a-secret-token", signal });
  bo.session.messageInstantSend("ada", "a secret text", bo.answer("cb"));
  await bo.expect("cb", false);
  await ada.expect("onMessageInstantReceive", "bo", 0, "a secret text");
  expect(lines).toContain("log signalpost DEBUG bo: loggedIn");
  bo.session.messageInstantSend("", "a secret text", bo.answer("cb"));
  expect((await bo.next())[1]).toBe(true);
  expect(
    lines.some((line) => line.startsWith("warn signalpost WARNING bo: message_instant_send failed")),
  ).toBe(true);
  expect(lines.join()).not.toContain("secret");

  signal.setDoLog(false, "DEBUG");
  lines.length = 0;
  bo.session.messageInstantSend("", "x", bo.answer("cb"));
  await bo.next();
  expect(lines).toEqual([]);
});

test.each(["LOUD", "", null, 7, [], {}])("SPEC S8: %j is no level, and counts as DEBUG", async (level) => {
  const lines = written();
  const house = new House();
  const signal = house.signal();
  signal.setDoLog(true, level as "DEBUG");
  await house.user("ada", { signal });
  expect(lines).toContain("log signalpost DEBUG ada: loggedIn");
});

test("Signal.getSDKVersion: SPEC L14", () => {
  expect(Signal("app").getSDKVersion()).toBe("1.4.0");
});

test("SPEC L8: a login while logged in makes none; onLoginSuccess comes again, behind the call", async () => {
  const lines = written();
  const house = new House();
  const signal = house.signal();
  signal.setDoLog(true, "INFO");
  const user = house.enter("ada", { signal });
  expect(signal.login("ada", "any")).toBe(user.session);
  await user.expect("onLoginSuccess", 0);
  expect(signal.login("ada", "any", 3, 4)).toBe(user.session);
  expect(user.isIdle).toBe(true);
  await user.expect("onLoginSuccess", 0);
  expect(signal.login("ada", null as unknown as string)).toBe(user.session);
  await user.expect("onLoginSuccess", 0);
  await user.quiet();
  expect(lines.filter((line) => line.includes("208"))).toHaveLength(3);
});

test("SPEC L8: a promise around a login is settled, whichever login it is", async () => {
  const { house, relay } = await relayed();
  const signal = house.signal(QUICK, relay.url);
  const login = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const session = signal.login("ada", "any", 1000, 30);
      const before = session.onLoginSuccess;
      session.onLoginSuccess = (uid) => {
        before?.(uid);
        resolve(uid);
      };
      session.onLoginFailed = reject;
    });
  expect(await Promise.all([login(), login()])).toEqual([0, 0]);
  expect(await Promise.all([login(), login(), login()])).toEqual([0, 0, 0]);
  const lost = new Promise((resolve) => (signal.login("ada", "any").onReconnecting = resolve));
  relay.shut();
  await lost;
  const again = [login(), login()];
  expect(signal.login("ada", "any").state).toBe(3);
  relay.reopen();
  expect(await Promise.all(again)).toEqual([0, 0]);
  const out = new Promise((resolve) => (signal.login("ada", "any").onLogout = resolve));
  signal.login("ada", "any").logout();
  expect(await login()).toBe(0);
  await out;
  signal.login("ada", "any").logout();
});

test("SPEC L8: another account is another session", async () => {
  const house = new House();
  const signal = house.signal();
  const [ada, bo] = [await house.user("ada", { signal }), await house.user("bo", { signal })];
  bo.session.logout();
  await bo.expect("onLogout", 101);
  await ada.quiet();
  expect([ada.session.state, bo.session.state]).toEqual([2, 0]);
});

test("SPEC L8: logout and login at once; the old session ends first", async () => {
  const house = new House();
  const signal = house.signal();
  const old = await house.user("ada", { signal });
  await old.join("room");
  old.session.logout();
  expect(old.session.state).toBe(0);
  const fresh = house.enter("ada", { signal });
  expect(fresh.session).not.toBe(old.session);
  expect(fresh.session.state).toBe(1);
  const order: string[] = [];
  const note =
    (user: User, name: string) =>
    (code: number): void => {
      order.push(name);
      user.put([name, code]);
    };
  old.session.onLogout = note(old, "out");
  fresh.session.onLoginSuccess = note(fresh, "in");
  await fresh.expect("in", 0);
  await old.expect("onChannelLeaved", 603);
  await old.expect("out", 101);
  expect(order).toEqual(["out", "in"]);
  expect([old.session.state, fresh.session.state]).toEqual([0, 2]);
});

test("SPEC E2, L9: the old session can do nothing more", async () => {
  const house = new House();
  const signal = house.signal();
  const old = await house.user("ada", { signal });
  const room = await old.join("room");
  old.session.logout();
  const fresh = await house.user("ada", { signal });
  await old.expect("onChannelLeaved", 603);
  await old.expect("onLogout", 101);
  old.session.logout();
  const failure = { code: 1003, reason: "not logged in: log in first" };
  old.session.messageInstantSend("bo", "hello", old.answer("cb"));
  await old.expect("cb", true, failure);
  room.channelLeave(old.answer("cb"));
  await old.expectAll(["cb", failure], ["onError", "channel_leave", 1003, failure.reason]);
  old.invite("room", "bo");
  await old.expectFailure(1003);
  await fresh.quiet();
  expect(fresh.session.state).toBe(2);
});

test("SPEC L1, L8: in and out many times; each session ends in its own callback", async () => {
  const house = new House();
  const signal = house.signal();
  const first = await house.user("ada", { signal });
  first.session.logout();
  const second = house.enter("ada", { signal });
  second.session.logout();
  const third = house.enter("ada", { signal });
  expect(new Set([first.session, second.session, third.session]).size).toBe(3);
  await third.expect("onLoginSuccess", 0);
  await first.expect("onLogout", 101);
  await second.expect("onLoginFailed", 203);
});

test("SPEC M6: what the old session was told, the new one is not", async () => {
  const house = new House();
  const signal = house.signal();
  let ada = await house.user("ada", { signal });
  const bo = await house.user("bo");
  for (let number = 0; number < 5; number++) {
    bo.session.messageInstantSend("ada", `${number}`, bo.answer("cb"));
    await bo.expect("cb", false);
    await ada.expect("onMessageInstantReceive", "bo", 0, `${number}`);
    ada.session.logout();
    const before = ada;
    ada = await house.user("ada", { signal });
    await before.expect("onLogout", 101);
  }
  await ada.quiet();
});
