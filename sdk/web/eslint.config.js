import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** What a pure module must not know: the clock, timers, chance, the network and the place where it runs. */
const IMPURE = [
  "Date",
  "WebSocket",
  "clearInterval",
  "clearTimeout",
  "crypto",
  "document",
  "fetch",
  "globalThis",
  "navigator",
  "performance",
  "process",
  "queueMicrotask",
  "self",
  "setInterval",
  "setTimeout",
  "window",
];

export default defineConfig(
  { ignores: ["dist", "node_modules"] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js", "scripts/*.js"] } },
    },
    rules: {
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreVoidReturningFunctions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      "max-lines": ["error", 600],
      "no-console": "error",
    },
  },
  {
    files: ["src/core/**"],
    rules: {
      "no-restricted-globals": ["error", ...IMPURE],
      "no-restricted-properties": ["error", { object: "Math", property: "random" }],
      "no-restricted-imports": ["error", { patterns: ["../*"] }],
    },
  },
  {
    files: ["scripts/*.js"],
    extends: [tseslint.configs.disableTypeChecked], // they are no part of the project
    languageOptions: { globals: { URL: "readonly", console: "readonly", process: "readonly" } },
    rules: { "no-console": "off" },
  },
);
