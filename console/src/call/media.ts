/**
 * The picture and sound of one call: microphone, camera and the connection between two browsers.
 *
 * It knows WebRTC. It refuses to know how signals travel, and what the page looks like.
 */
import type { Signal, SignalKind } from "./pieces.js";

export interface MediaEvents {
  /** Something for the other side. */
  signal(kind: SignalKind, body: string): void;
  /** How far the connection has come. */
  picture(picture: "joining" | "flowing" | "broken"): void;
  /** There are streams to show, or other ones. */
  readonly streams: () => void;
  /** The other side has switched its camera on or off. */
  peerCamera(on: boolean): void;
}

const GATHER = 60; // milliseconds in which candidates are collected into one message
const MOST_CANDIDATES = 100; // of the other side that wait for its description
const RESTARTS = 3; // tries to mend a path that broke

/**
 * One side of a connection. Whoever called offers, at first and whenever the path has to be mended; whoever
 * was called answers. Nothing is sent out of microphone and camera before `unmute`.
 */
export class Media {
  readonly #events: MediaEvents;
  readonly #offers: boolean; // whether this is the side that called
  readonly #iceServers: RTCIceServer[];
  #connection: RTCPeerConnection | null = null; // null as long as nothing is to be agreed on
  readonly remote = new MediaStream();
  local: MediaStream | null = null; // of microphone and camera, until closed
  hint = ""; // what a person should know about microphone and camera
  #muted = true; // until the call is accepted
  #prepared = false; // whether microphone and camera are open, or known not to be there
  #microphone = true; // whether the person wants it to be on
  #camera = true;
  #closed = false;
  #restarts = 0; // tries so far
  #candidates: RTCIceCandidateInit[] = []; // not sent yet
  #timer: number | undefined; // until they are
  #early: RTCIceCandidateInit[] = []; // of the other side, before its description
  #offer: string | null = null; // the latest that was not answered yet
  #ready: Promise<void> = Promise.resolve(); // one description after the other

  constructor(offers: boolean, events: MediaEvents, iceServers: RTCIceServer[] = []) {
    this.#offers = offers;
    this.#events = events;
    this.#iceServers = iceServers;
  }

  /** Opens microphone and camera, muted; goes on without what there is not. */
  async prepare(video: boolean): Promise<void> {
    const stream = this.#closed ? null : await this.#open(video);
    if (this.#closed) {
      stop(stream);
      return;
    }
    this.local = stream;
    this.#prepared = true;
    for (const track of stream?.getTracks() ?? []) track.enabled = false;
    this.#apply();
    this.#events.streams();
  }

  /** Says what this side can do; for whoever called. */
  async offer(): Promise<void> {
    await this.#inOrder(async () => {
      if (this.#closed) return;
      const connection = this.#connect();
      this.#addTracks(connection);
      await connection.setLocalDescription(await connection.createOffer({ iceRestart: this.#restarts > 0 }));
      this.#tell("offer", connection);
    });
  }

  /**
   * Answers the offer, if it has come; else as soon as it comes, which it does once more for a page that was reloaded
   * while it rang. For whoever was called, has accepted and is prepared:
   * an answer without the own tracks would leave the other side without picture and sound.
   */
  async answer(): Promise<void> {
    await this.#inOrder(async () => {
      const sdp = this.#offer;
      if (this.#closed || this.#muted || !this.#prepared) return;
      if (sdp === null) {
        if (this.#connection === null) this.#events.signal("wanted", "");
        return;
      }
      this.#offer = null;
      const connection = this.#connect();
      await connection.setRemoteDescription({ type: "offer", sdp });
      this.#addTracks(connection);
      await connection.setLocalDescription();
      this.#tell("answer", connection); // before the candidates of this side, which belong to it
      await this.#addEarly(connection);
    });
  }

  /** The call is accepted: picture and sound may go out. */
  unmute(): void {
    this.#muted = false;
    this.#apply();
    if (this.#connection?.connectionState !== "connected") this.#events.picture("joining");
  }

  get microphone(): boolean {
    return this.#microphone;
  }

  set microphone(on: boolean) {
    this.#microphone = on;
    this.#apply();
  }

  get camera(): boolean {
    return this.#camera;
  }

  set camera(on: boolean) {
    this.#camera = on;
    this.#apply();
    this.#events.signal("cameras", on ? "on" : "off");
  }

  /** Takes what the other side says; what makes no sense is passed over. */
  async take(signal: Signal): Promise<void> {
    if (this.#closed) return;
    switch (signal.kind) {
      case "offer":
        if (this.#offers) return;
        this.#offer = signal.body;
        await this.answer();
        return;
      case "answer":
        if (!this.#offers) return;
        await this.#inOrder(async () => {
          const connection = this.#connection;
          if (connection?.signalingState !== "have-local-offer") return;
          await connection.setRemoteDescription({ type: "answer", sdp: signal.body });
          await this.#addEarly(connection);
        });
        return;
      case "candidates":
        this.#early = [...this.#early, ...readCandidates(signal.body)].slice(-MOST_CANDIDATES);
        await this.#inOrder(async () => {
          const connection = this.#connection;
          if (connection !== null && connection.remoteDescription !== null) await this.#addEarly(connection);
        });
        return;
      case "cameras":
        this.#events.peerCamera(signal.body !== "off");
        return;
      case "wanted":
        // With the candidates so far. Before there is an offer: it is still to come.
        if (this.#connection?.signalingState === "have-local-offer") this.#tell("offer", this.#connection);
    }
  }

  /** Stops everything: no device stays on, no connection open. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#connection !== null) {
      this.#connection.onicecandidate = null;
      this.#connection.ontrack = null;
      this.#connection.onconnectionstatechange = null;
      this.#connection.close();
    }
    stop(this.local);
    stop(this.remote);
    this.local = null;
  }

  // --- inside ---------------------------------------------------------------------------------

  // Whoever only rings has none here: strangers can make it ring, and connections are dear.
  #connect(): RTCPeerConnection {
    if (this.#connection !== null) return this.#connection;
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: this.#iceServers });
    this.#connection = connection;
    connection.onicecandidate = ({ candidate }) => {
      if (candidate !== null) this.#collect(candidate.toJSON());
    };
    connection.ontrack = ({ track }) => {
      this.remote.addTrack(track);
      track.onmute = this.#events.streams; // nothing comes of it, for now or not yet
      track.onunmute = this.#events.streams;
      this.#events.streams();
    };
    connection.onconnectionstatechange = () => {
      this.#follow(connection);
    };
    return connection;
  }

  async #open(video: boolean): Promise<MediaStream | null> {
    // Browsers have no devices for pages that come over plain HTTP from another machine.
    const devices = (navigator as { readonly mediaDevices?: MediaDevices }).mediaDevices;
    if (devices === undefined) {
      this.hint = "No microphone or camera: this page needs HTTPS, or an address of this machine.";
      return null;
    }
    if (video) {
      try {
        const picture = { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" };
        return await devices.getUserMedia({ audio: true, video: picture });
      } catch {
        this.hint = "No camera: sound only.";
      }
    }
    try {
      return await devices.getUserMedia({ audio: true });
    } catch (error) {
      const denied = error instanceof DOMException && error.name === "NotAllowedError";
      this.hint = denied
        ? "The microphone is not allowed: you can see and hear, but nobody hears you."
        : "No microphone: you can see and hear, but nobody hears you.";
      return null;
    }
  }

  // Every kind of media once: ours if we have it, and in any case that of the other side.
  #addTracks(connection: RTCPeerConnection): void {
    const stream = this.local;
    for (const kind of ["audio", "video"] as const) {
      const track = stream?.getTracks().find((one) => one.kind === kind);
      const there = connection.getTransceivers().find((one) => one.receiver.track.kind === kind);
      if (there === undefined) {
        if (!this.#offers) continue;
        connection.addTransceiver(track ?? kind, {
          direction: track === undefined ? "recvonly" : "sendrecv",
          ...(stream === null ? {} : { streams: [stream] }),
        });
      } else if (track !== undefined && there.sender.track === null) {
        there.direction = "sendrecv";
        void there.sender.replaceTrack(track);
      }
    }
  }

  #apply(): void {
    for (const track of this.local?.getTracks() ?? []) {
      track.enabled = !this.#muted && (track.kind === "audio" ? this.#microphone : this.#camera);
    }
  }

  #tell(kind: "offer" | "answer", connection: RTCPeerConnection): void {
    this.#events.signal(kind, connection.localDescription?.sdp ?? "");
  }

  #collect(candidate: RTCIceCandidateInit): void {
    this.#candidates.push(candidate);
    this.#timer ??= window.setTimeout(() => {
      this.#timer = undefined;
      this.#events.signal("candidates", JSON.stringify(this.#candidates.splice(0)));
    }, GATHER);
  }

  async #addEarly(connection: RTCPeerConnection): Promise<void> {
    for (const candidate of this.#early.splice(0)) {
      try {
        await connection.addIceCandidate(candidate);
      } catch {
        // Of an older description, or senseless: the others may still do.
      }
    }
  }

  #follow(connection: RTCPeerConnection): void {
    const state = connection.connectionState;
    if (state === "connected") {
      this.#restarts = 0;
      this.#events.picture("flowing");
    }
    if (state === "connecting" || state === "disconnected") this.#events.picture("joining");
    if (state !== "failed") return;
    if (this.#offers && this.#restarts < RESTARTS) {
      this.#restarts += 1;
      this.#events.picture("joining");
      void this.offer();
    } else {
      this.#events.picture("broken");
    }
  }

  // Descriptions are changed one after the other; a failure of one is shown and harms no other.
  async #inOrder(change: () => Promise<void>): Promise<void> {
    this.#ready = this.#ready.then(change).catch(() => {
      if (!this.#closed) this.#events.picture("broken");
    });
    await this.#ready;
  }
}

function stop(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function readCandidates(body: string): RTCIceCandidateInit[] {
  try {
    const found: unknown = JSON.parse(body);
    return Array.isArray(found) ? (found.slice(0, MOST_CANDIDATES) as RTCIceCandidateInit[]) : [];
  } catch {
    return [];
  }
}
