/** How the page is built: into the Python package, from which the server serves it. */
import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: "/",
  resolve: { alias: { signalpost: here("../sdk/web/src/index.ts") } },
  build: {
    outDir: here("../src/signalpost/gateway/console"),
    emptyOutDir: true,
    target: "es2022",
    cssTarget: ["chrome125", "firefox128", "safari17.5"], // which know light-dark()
    modulePreload: false, // one script, and the policy of the page allows no inline one
    assetsInlineLimit: 0, // nor data: addresses
    cssCodeSplit: false,
    reportCompressedSize: true,
  },
  // `npm run dev`: the page from here, everything else from a server on port 8080.
  server: {
    proxy: {
      "/healthz": "http://127.0.0.1:8080",
      "/readyz": "http://127.0.0.1:8080",
      "/metrics": "http://127.0.0.1:8080",
    },
  },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    fileParallelism: false, // a browser with fake cameras wants a core of its own
  },
});
