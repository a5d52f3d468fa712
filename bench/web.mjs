/** `make bench-web`: what the web SDK handles in Chromium, messages sent and events received a second; the drop-in's size. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const { chromium } = createRequire(new URL("../sdk/web/package.json", import.meta.url))("playwright-core");
const ROUNDS = Number(process.argv[2] ?? 5);
const PROGRAM = fileURLToPath(new URL("../.venv/bin/signalpost", import.meta.url));
const DIST = new URL("../sdk/web/dist/", import.meta.url);
const RATES = "[limits]\nuser_messages = 1000000000\nchannel_messages = 1000000000\nrequests = 1000000000\nlogins = 1000000000\n";

/** A server with raised rates and no data; its port. */
async function serve(directory) {
  const config = join(directory, "bench.toml");
  writeFileSync(config, RATES);
  const options = ["serve", "--dev", "--port", "0", "--data", ":memory:", "--config", config];
  const server = spawn(PROGRAM, options, { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = await new Promise((resolve) =>
    createInterface(server.stdout).once("line", (...l) => resolve(l)),
  );
  return { port: /:(\d+)$/.exec(line)[1], server };
}

/** In the page: messages to accounts that are not there, 64 unanswered at any time. */
async function send({ url, seconds }) {
  const { connect } = await import("/index.js");
  const me = await connect({ url, appId: "bench", account: "sender", token: "any" });
  const end = performance.now() + seconds * 1000;
  const begin = performance.now();
  let sent = 0;
  const lane = async () => {
    while (performance.now() < end) {
      await me.send(`sink${sent++ % 200}`, "x".repeat(128));
    }
  };
  await Promise.all(Array.from({ length: 64 }, lane));
  me.close();
  return (sent / (performance.now() - begin)) * 1000;
}

/** In the page: ten members of a channel, the first of which keeps 32 messages on their way. */
async function receive({ url, seconds }) {
  const { connect } = await import("/index.js");
  let taken = 0;
  let speaker;
  const members = [];
  for (let number = 0; number < 10; number += 1) {
    const me = await connect({ url, appId: "bench", account: `member${number}`, token: "any" });
    const room = await me.join("hall");
    speaker ??= room;
    room.on("message", () => {
      taken += 1;
      if (room === speaker) void room.send("x".repeat(128)).catch(() => undefined);
    });
    members.push(me);
  }
  for (let ahead = 0; ahead < 32; ahead += 1) void speaker.send("x".repeat(128));
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  await pause(500);
  const [before, begin] = [taken, performance.now()];
  await pause(seconds * 1000);
  const rate = ((taken - before) / (performance.now() - begin)) * 1000;
  for (const me of members) me.close();
  return rate;
}

const directory = mkdtempSync(join(tmpdir(), "signalpost-"));
const { port, server } = await serve(directory);
const files = createServer((request, response) => {
  const script = request.url.endsWith(".js");
  response.setHeader("Content-Type", script ? "text/javascript" : "text/html");
  response.end(
    script ? readFileSync(new URL(`.${request.url}`, DIST)) : "<!doctype html><title>bench</title>",
  );
}).listen(0, "127.0.0.1");
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const found = { send: [], receive: [] };
for (let round = 0; round < ROUNDS; round += 1) {
  for (const question of [send, receive]) {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${files.address().port}/`);
    found[question.name].push(await page.evaluate(question, { url: `ws://127.0.0.1:${port}/`, seconds: 3 }));
    await page.close();
  }
}
const median = (figures) => [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)];
const row = (what, figures) => {
  const [least, most] = [Math.min(...figures), Math.max(...figures)].map(Math.round);
  console.log(`| ${what} | ${Math.round(median(figures))} | ${least} to ${most} |`);
};
console.log("| in one page of Chromium | median | range |\n| --- | ---: | --- |");
row("acknowledged messages/s, window 64", found.send);
row("channel events/s, 10 members", found.receive);
row("bytes of the drop-in, gzipped", [
  gzipSync(readFileSync(new URL("umd/signal.js", DIST)), { level: 9 }).length,
]);
await browser.close();
files.close();
server.kill("SIGTERM");
rmSync(directory, { recursive: true });
