/**
 * The web SDK 1.4.0 again, on an engine of its own: `Signal`, as a global of a page, for `require` and for `import`
 * (SPEC S4). What it adds to the web document, and what that leaves open, is in docs/web-sdk.md.
 */
import { Signal } from "./facade/signal.js";

export type { Failure } from "./facade/account.js";
export type { Call } from "./facade/calls.js";
export type { Channel, ChannelCallback, ChannelState } from "./facade/channels.js";
export type { InvokeCallback, SendCallback, Session } from "./facade/session.js";
export type { SignalClient, SignalConstructor } from "./facade/signal.js";

export default Signal;
