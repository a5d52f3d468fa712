/**
 * Login tokens, made by a back end in JavaScript that knows the app's certificate (SPEC L3, PROTOCOL §4).
 *
 * Never use it in a page: whoever has the certificate can be anybody.
 *
 * @module tokens
 */
import { isSendable } from "./core/texts.js";
import { md5 } from "./md5.js";

const DAY = 86_400;

/**
 * When a token ends: `ttl` seconds from now, or at `expires`, in Unix seconds from 0 to 9999999999. A session that it
 * opened goes on after that (SPEC L6).
 */
export type Expiry = { readonly ttl?: number } | { readonly expires: number };

/**
 * A token that lets `account` into the app, `1:APPID:EXPIRY:MD5HEX`; for a day, if nothing else is said (SPEC L3).
 *
 * Throws RangeError for an empty certificate, for a time that no token can hold, and for a lone surrogate in a text.
 */
export function makeToken(appId: string, certificate: string, account: string, expiry: Expiry = {}): string {
  const expires = "expires" in expiry ? expiry.expires : Math.floor(Date.now() / 1000 + (expiry.ttl ?? DAY));
  if (!certificate) throw new RangeError("a token needs the app's certificate");
  if (!Number.isInteger(expires) || expires < 0 || expires > 9_999_999_999) {
    throw new RangeError("expires must be Unix seconds from 0 to 9999999999");
  }
  const text = `${account}${appId}${certificate}${expires}`;
  if (!isSendable(text))
    throw new RangeError("a token is made of whole characters: there is a lone surrogate");
  return `1:${appId}:${expires}:${md5(new TextEncoder().encode(text))}`;
}
