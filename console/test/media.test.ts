import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Media } from "../src/call/media.js";
import type { SignalKind } from "../src/call/pieces.js";

const done: string[] = []; // what was done, in order
const waiting: (() => void)[] = []; // descriptions that the browser still works on

/** A connection that takes candidates behind a description only, as browsers do. */
class FakeConnection {
  signalingState = "stable";
  connectionState = "new";
  localDescription: { readonly sdp: string } | null = null;
  remoteDescription: { readonly sdp: string } | null = null;

  createOffer(): Promise<object> {
    return Promise.resolve({ type: "offer", sdp: "our offer" });
  }

  setLocalDescription({ sdp }: { readonly sdp: string } = { sdp: "our answer" }): Promise<void> {
    this.localDescription = { sdp };
    this.signalingState = sdp === "our offer" ? "have-local-offer" : "stable";
    return Promise.resolve();
  }

  async setRemoteDescription({ sdp }: { readonly sdp: string }): Promise<void> {
    await new Promise<void>((resolve) => waiting.push(resolve));
    this.remoteDescription = { sdp };
    done.push(sdp);
  }

  addIceCandidate({ candidate }: RTCIceCandidateInit): Promise<void> {
    if (this.remoteDescription === null) return Promise.reject(new DOMException("no", "InvalidStateError"));
    done.push(candidate ?? "");
    return Promise.resolve();
  }

  getTransceivers(): [] {
    return [];
  }

  addTransceiver(): void {
    // Nothing here looks at them.
  }
}

beforeEach(() => {
  vi.stubGlobal("RTCPeerConnection", FakeConnection);
  vi.stubGlobal("MediaStream", Set); // nothing here looks into it
  vi.stubGlobal("navigator", {});
});

afterEach(() => {
  vi.unstubAllGlobals();
  done.length = 0;
  waiting.length = 0;
});

function media(offers: boolean): Media {
  return new Media(offers, {
    signal: (_, body) => done.push(body),
    picture: () => undefined,
    streams: () => undefined,
    peerCamera: () => undefined,
  });
}

const take = (one: Media, kind: SignalKind, body: string): Promise<void> =>
  one.take({ call: "c", kind, body });
const candidate = (name: string): string => JSON.stringify([{ candidate: name }]);

test("candidates that come before the answer are kept, and applied behind it", async () => {
  const caller = media(true);
  await caller.offer();
  await take(caller, "candidates", candidate("first"));
  const answered = take(caller, "answer", "their answer");
  const added = take(caller, "candidates", candidate("second")); // while the browser works on the answer
  await vi.waitFor(() => {
    expect(waiting).toHaveLength(1);
  });
  expect(done).toEqual(["our offer"]);
  waiting.shift()?.();
  await Promise.all([answered, added]);
  expect(done).toEqual(["our offer", "their answer", "first", "second"]);
});

test("candidates that come before the call is accepted wait until the offer is answered", async () => {
  const callee = media(false);
  await take(callee, "candidates", candidate("early"));
  await take(callee, "offer", "their offer");
  await take(callee, "candidates", candidate("first"));
  expect(done).toEqual([]);
  callee.unmute();
  await callee.prepare(false);
  const answered = callee.answer();
  await vi.waitFor(() => {
    expect(waiting).toHaveLength(1);
  });
  waiting.shift()?.();
  await answered;
  // The answer goes first: candidates of this side, which come of those of the other, belong to it.
  expect(done).toEqual(["their offer", "our answer", "early", "first"]);
});
