/** For pages that load the script: `/// <reference types="signalpost/global" />` knows the global `Signal`. */
import type { SignalConstructor } from "./signal.js";

declare global {
  const Signal: SignalConstructor;
}
