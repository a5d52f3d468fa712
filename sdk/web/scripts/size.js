/** Fails if the script for pages is larger than it may be. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const MOST = 15 * 1024;
const script = new URL("../dist/umd/signal.js", import.meta.url);
const size = gzipSync(readFileSync(script), { level: 9 }).length;
console.log(`dist/umd/signal.js: ${size} bytes gzipped, ${MOST} are allowed`);
process.exit(size > MOST ? 1 : 0);
