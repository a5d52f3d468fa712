/** Connections that are cut: nothing is lost, nothing comes twice, nothing out of order (SPEC M6, M7, C9). */
import { expect, onTestFinished, test } from "vitest";
import { ServerProcess } from "../api/servers.js";
import { QUICK, relayed, type Told } from "./people.js";

const COUNT = 500;
const CONFIG = "[limits]\nuser_messages = 100000\nchannel_messages = 100000\n"; // a pause makes a crowd of them

test("SPEC M4, M6, M7, C6, C9: 500 messages each way over a connection that is cut again and again", async () => {
  const server = await ServerProcess.start(CONFIG, "--dev");
  onTestFinished(() => server.end());
  const { house, relay } = await relayed(server.url);
  // No message fails for want of time (401), however slowly a busy machine goes from cut to cut.
  const signal = house.signal({ ...QUICK, requestSeconds: 60 }, relay.url);
  const ada = await house.user("ada", { signal, patience: [1000, 60] });
  const bo = await house.user("bo");
  const room = await ada.join("room");
  const other = await bo.join("room", ["ada"]);
  await ada.expect("onChannelUserJoined", "bo", 0);
  relay.cutAfter(3000);

  const heard = { ada: [] as string[], bo: [] as string[], room: [] as string[] };
  const answers: unknown[] = [];
  let toldOfCuts = 0;
  ada.session.onMessageInstantReceive = (_, __, text) => void heard.ada.push(text);
  bo.session.onMessageInstantReceive = (_, __, text) => void heard.bo.push(text);
  room.onMessageChannelReceive = (_, __, text) => void heard.room.push(text);
  other.onMessageChannelReceive = null;
  ada.session.onReconnecting = ada.session.onLoginSuccess = null;
  ada.session.onReconnected = () => {
    toldOfCuts++;
    relay.cutAfter(2000 + Math.floor(Math.random() * 6000)); // anywhere in a frame
  };

  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));
  const texts: string[] = [];
  for (let number = 0; number < COUNT; number++) {
    const text = `message ${number} ${"x".repeat(number % 100)}`;
    texts.push(text);
    ada.session.messageInstantSend("bo", text, (failed) => answers.push(failed));
    if (number % 2) bo.session.messageInstantSend("ada", text);
    else other.messageChannelSend(text);
    if (number % 3 === 2) await pause(); // so that cuts come between them
  }
  const told: Told[] = [];
  for (let wait = 0; wait < 500 && (answers.length < COUNT || heard.bo.length < COUNT); wait++) await pause();
  for (let wait = 0; wait < 500 && heard.ada.length + heard.room.length < COUNT; wait++) await pause();
  while (!ada.isIdle) told.push(await ada.next());
  while (!bo.isIdle) told.push(await bo.next());
  expect(told).toEqual([]);
  expect(heard.bo).toEqual(texts);
  expect(heard.ada).toEqual(texts.filter((_, number) => number % 2 === 1));
  expect(heard.room).toEqual(texts.filter((_, number) => number % 2 === 0));
  expect(answers).toEqual(texts.map(() => false));
  expect(relay.cuts).toBeGreaterThan(10);
  expect(toldOfCuts).toBeGreaterThan(10);
  relay.cutAfter(Infinity);
  ada.session.onReconnected = null;
}, 120_000);
