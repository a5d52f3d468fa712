/** Builds the script for pages anew, so that tests run what pages get; its path is provided as `script`. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    script: string;
  }
}

export default async function buildScript(project: TestProject): Promise<() => Promise<void>> {
  const outDir = await mkdtemp(join(tmpdir(), "signalpost-script-"));
  await build({ mode: "umd", logLevel: "error", build: { outDir, emptyOutDir: false } });
  project.provide("script", join(outDir, "signal.js"));
  return () => rm(outDir, { recursive: true, force: true });
}
