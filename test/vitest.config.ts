/** The test projects: `vitest --config test/vitest.config.ts --project NAME`. */
import { defineConfig } from "vitest/config";

const root = new URL("..", import.meta.url).pathname;

/** Suites that start other programs get more time and fewer workers than the machine has cores to spare. */
const slow = { testTimeout: 120_000, hookTimeout: 60_000, maxWorkers: 1, maxConcurrency: 2, fileParallelism: false };

export default defineConfig({
  root,
  test: {
    globalSetup: ["test/_globalsetup.ts"],
    projects: [
      {
        test: {
          name: "unit", root, include: ["test/{unit,fuzz,wire,sim}/**/*.test.ts", "test/tidy.test.ts"],
          // A busy machine takes its time over what is done in one.
          testTimeout: 20_000,
        },
      },
      { test: { name: "runtimes", root, include: ["test/runtimes/**/*.test.ts"], ...slow } },
      { test: { name: "interop", root, include: ["test/interop/**/*.test.ts"], ...slow } },
      { test: { name: "browser", root, include: ["test/browser/**/*.test.ts"], ...slow } },
      { test: { name: "hostile", root, include: ["test/hostile/**/*.test.ts"], ...slow } },
    ],
  },
});
