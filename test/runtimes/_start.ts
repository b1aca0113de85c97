/** Starts the conformance program on a runtime and turns its report into tests. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildHelpers } from "../../runtimes/_buildhelpers.mjs";
import { type Outcome } from "./_check.ts";

/** The project's root directory. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TIMEOUT_MS = 120_000;

interface Report {
  readonly fileSystem: string;
  readonly ffiMissing: string;
  readonly outcomes: readonly Outcome[];
}

/** One way to run the suite. */
export interface Variant {
  readonly title: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly fileSystem: "libc" | "node:fs";
  /** Case name → why it cannot pass here. */
  readonly skips?: Readonly<Record<string, string>>;
  readonly only?: "files" | "all";
  /** Where the file cases work; memory where there is such a place. */
  readonly scratch?: string;
}

/** Bundles test/runtimes/NAME.ts to where packages are found, for Node, which does not run TypeScript. */
export async function bundle(name: string): Promise<string> {
  const outfile = join(ROOT, "build", "test", `${name}.mjs`);
  mkdirSync(join(ROOT, "build", "test"), { recursive: true });
  await build({
    entryPoints: [join(ROOT, "test", "runtimes", `${name}.ts`)], outfile, bundle: true, format: "esm", platform: "node",
    external: ["koffi"], logLevel: "error",
    define: { WSYNC_KERNELS: JSON.stringify(kernels().toString("base64")), ...(await buildHelpers()) },
  });
  return outfile;
}

/** The compiled kernels, which the runtimes must be able to load; made here when nobody has built them yet. */
function kernels(): Buffer {
  const file = join(ROOT, "build", "wsync.wasm");
  if (!existsSync(file)) execFileSync(process.execPath, [join(ROOT, "assembly", "build.mjs")], { cwd: ROOT });
  return readFileSync(file);
}

/** Declares the tests of one variant: it runs, took the file system it should, and no case failed. */
export function conformance(variant: Variant): void {
  describe(variant.title, () => {
    const servers: Server[] = [];
    let root = "";
    let report: Report;
    beforeAll(async () => {
      kernels();
      root = mkdtempSync(join(variant.scratch ?? (existsSync("/dev/shm") ? "/dev/shm" : "/tmp"), "wsync-runtime-"));
      const ports = await startServers(servers);
      report = await run(variant, { root, ports, skips: variant.skips ?? {}, only: variant.only ?? "all" });
    }, TIMEOUT_MS);
    afterAll(() => {
      for (const server of servers) server.close();
      rmSync(root, { recursive: true, force: true });
    });
    test("uses the file system it should", () => expect(report.fileSystem, report.ffiMissing).toBe(variant.fileSystem));
    test("passes every case that is not skipped with a reason", () => {
      const failed = report.outcomes.filter(({ result }) => result === "failed");
      expect(failed.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([]);
      expect(report.outcomes.filter(({ result }) => result === "passed").length).toBeGreaterThan(20);
    });
    test("skips only cases that exist", () => {
      const names = report.outcomes.map(({ name }) => name);
      expect(Object.keys(variant.skips ?? {}).filter((name) => !names.includes(name))).toEqual([]);
    });
  });
}

async function startServers(servers: Server[]): Promise<object> {
  const listen = async (server: Server): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  };
  const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.on("error", () => undefined).pipe(socket));
  const reset = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write("x", () => setTimeout(() => socket.resetAndDestroy(), 50));
  });
  const gone = createServer();
  const ports = { echo: await listen(echo), reset: await listen(reset), closed: await listen(gone) };
  await new Promise((resolve) => gone.close(resolve));
  servers.push(echo, reset);
  return ports;
}

function run(variant: Variant, setup: object): Promise<Report> {
  const [command, ...args] = variant.command;
  const env = { ...process.env, ...variant.env, WSYNC_TEST: JSON.stringify(setup) };
  return new Promise((resolve, reject) => {
    execFile(command, args, { env, maxBuffer: 1 << 24, timeout: TIMEOUT_MS - 5000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${variant.title}: ${error.message}\n${stdout}\n${stderr}`));
      else resolve(JSON.parse(stdout) as Report);
    });
  });
}
