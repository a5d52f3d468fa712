/**
 * How the SDK is built and tested. `vite build` makes the ES modules, `vite build --mode umd` the script for pages and
 * for `require`.
 */
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { internalNames } from "./scripts/internal-names.js";

const ENTRIES = { index: "src/index.ts", tokens: "src/tokens.ts", "drop-in": "src/drop-in.ts" };

/** The script is no module, though everything else in this package is one. */
const commonjs: Plugin = {
  name: "signalpost:commonjs",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "package.json", source: '{ "type": "commonjs" }\n' });
  },
};

const SHORTER = internalNames();

export default defineConfig(({ mode }) => ({
  plugins: mode === "umd" ? [commonjs] : [],
  build:
    mode === "umd"
      ? {
          target: "es2020",
          outDir: "dist/umd",
          sourcemap: true,
          lib: { entry: ENTRIES["drop-in"], formats: ["umd"], name: "Signal", fileName: () => "signal.js" },
          rolldownOptions: {
            output: {
              minify: {
                mangleProps: { include: new RegExp(`^(${Object.keys(SHORTER).join("|")})$`), cache: SHORTER },
              },
            },
          },
        }
      : {
          target: "es2020",
          outDir: "dist",
          sourcemap: true,
          lib: { entry: ENTRIES, formats: ["es"] },
        },
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/support/server.ts", "tests/drop-in/build.ts"],
    testTimeout: 60_000, // of machines that do much else, too
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    maxWorkers: 2,
  },
}));
