/**
 * Everything that can go wrong, as one tree; each error carries its code of SPEC §7 and says what is allowed.
 *
 *     SignalpostError
 *     ├── ArgumentError        1004, 1005   nothing has been sent
 *     ├── NotLoggedIn          1003         there is no session
 *     ├── LoginError           201 to 209   the login failed
 *     ├── LoggedOut            101 to 107   the session is over
 *     ├── MessageError         400, 401     the message was refused, or nobody answered
 *     ├── JoinError            300          the channel could not be joined
 *     ├── ChannelLeft          601 to 604   this client is in the channel no longer
 *     ├── QueryError           500, 501     a query of a channel's members failed
 *     ├── CallError            700 to 705   the call failed
 *     └── RequestError         1000 to 1002 anything else failed, or nobody answered
 */
import { type Code, GENERAL_E_LARGE_PARAM, GENERAL_E_NOT_LOGIN, GENERAL_E_WRONG_PARAM } from "./codes.js";
import type { Fault } from "./texts.js";

/** Something that Signalpost refuses, or cannot do. */
export class SignalpostError extends Error implements Fault {
  override readonly name: string = "SignalpostError";
  /** The number of SPEC §7. */
  readonly code: Code;
  /** What is wrong, and where it helps, what is allowed. */
  readonly reason: string;

  constructor(code: Code, reason: string) {
    super(`${code}: ${reason}`);
    this.code = code;
    this.reason = reason;
  }
}

/** An argument is not what it may be; nothing has been sent. */
export class ArgumentError extends SignalpostError {
  override readonly name = "ArgumentError";
}

/** There is no session. */
export class NotLoggedIn extends SignalpostError {
  override readonly name = "NotLoggedIn";
}

/** The login failed; nothing goes on by itself. */
export class LoginError extends SignalpostError {
  override readonly name = "LoginError";
}

/** The session is over; nothing goes on by itself. */
export class LoggedOut extends SignalpostError {
  override readonly name = "LoggedOut";
}

/** A message was refused, or nobody confirmed it in time. */
export class MessageError extends SignalpostError {
  override readonly name = "MessageError";
}

/** The channel could not be joined. */
export class JoinError extends SignalpostError {
  override readonly name = "JoinError";
}

/** This client is in the channel no longer. */
export class ChannelLeft extends SignalpostError {
  override readonly name = "ChannelLeft";
}

/** The members of a channel could not be read. */
export class QueryError extends SignalpostError {
  override readonly name = "QueryError";
}

/** The call failed. */
export class CallError extends SignalpostError {
  override readonly name = "CallError";
}

/** Any other request failed, or nobody answered it in time. */
export class RequestError extends SignalpostError {
  override readonly name = "RequestError";
}

/** The error that a code stands for. */
export function errorOf(code: Code, reason: string): SignalpostError {
  return new (kindOf(code))(code, reason);
}

function kindOf(code: Code): new (code: Code, reason: string) => SignalpostError {
  if (code === GENERAL_E_NOT_LOGIN) return NotLoggedIn;
  if (code === GENERAL_E_WRONG_PARAM || code === GENERAL_E_LARGE_PARAM) return ArgumentError;
  switch (Math.floor(code / 100)) {
    case 1:
      return LoggedOut;
    case 2:
      return LoginError;
    case 3:
      return JoinError;
    case 4:
      return MessageError;
    case 5:
      return QueryError;
    case 6:
      return ChannelLeft;
    case 7:
      return CallError;
    default:
      return RequestError;
  }
}
