/** Tokens and their digest, held against the vectors and against Node's MD5 (SPEC L3). */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { md5 } from "../src/md5.js";
import { makeToken } from "../src/tokens.js";
import { shared } from "./support/conversation.js";

interface Made {
  readonly app: string;
  readonly certificate: string;
  readonly account: string;
  readonly expires: number;
  readonly token: string;
}

const { made } = shared("vectors/tokens.json") as { readonly made: readonly Made[] };

test.each(made)(
  "SPEC L3: a token is made as the vectors say: $token",
  ({ app, certificate, account, expires, token }) => {
    expect(makeToken(app, certificate, account, { expires })).toBe(token);
  },
);

test("the digest is MD5, whatever the length", () => {
  for (let length = 0; length < 300; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + length) & 0xff);
    expect(md5(bytes), String(length)).toBe(createHash("md5").update(bytes).digest("hex"));
  }
});

test("SPEC L3: a token lasts a day, or as long as is said", () => {
  const expiry = (token: string): number => Number(token.split(":")[2]);
  const now = Date.now() / 1000;
  expect(expiry(makeToken("app", "secret", "ada")) - now).toBeCloseTo(86_400, -1);
  expect(expiry(makeToken("app", "secret", "ada", { ttl: 60 })) - now).toBeCloseTo(60, -1);
});

test.each([
  ["", "ada", { expires: 1 }],
  ["secret", "ada", { expires: -1 }],
  ["secret", "ada", { expires: 10_000_000_000 }],
  ["secret", "ada", { expires: 1.5 }],
  ["secret", "ada", { ttl: NaN }],
  ["secret", "\ud800", { expires: 1 }],
])("SPEC L3: no token for %j %j %j", (certificate, account, expiry) => {
  expect(() => makeToken("app", certificate, account, expiry)).toThrow(RangeError);
});
