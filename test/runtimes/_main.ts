/** The program that node.test.ts, deno.test.ts and bun.test.ts start: the suite, or one of its children's roles. */
import { type Host } from "../../src/host.ts";
import { LinearMemory } from "../../src/memory.ts";
import { type FileSystem } from "../../src/posix/filesystem.ts";
import { openFileSystem } from "../../src/posix/open.ts";
import { runCases } from "./_check.ts";
import { fileCases } from "./_files.ts";
import { jobCases } from "./_jobs.ts";
import { listCases } from "./_lists.ts";
import { notifyCases, waitAndExit } from "./_notify.ts";
import { hostCases, type Ports } from "./_streams.ts";

const MAX_PAGES = 65536;

/** What the parent hands over as the environment variable WSYNC_TEST. */
interface Setup {
  readonly root: string;
  readonly ports: Ports;
  readonly skips: Readonly<Record<string, string>>;
  readonly only: "files" | "all";
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Runs what the first argument says; without one, the suite. Ends the process. */
export async function runProgram(host: Host): Promise<void> {
  const role = roles[host.argv[0]];
  if (role !== undefined) await role(host);
  else await runSuite(host);
  host.exit(0);
}

function ownFileSystem(host: Host): FileSystem {
  const wasm = new WebAssembly.Memory({ initial: 32, maximum: MAX_PAGES, shared: true });
  return openFileSystem(host, new LinearMemory(wasm, 1024, MAX_PAGES));
}

async function runSuite(host: Host): Promise<void> {
  const setup = JSON.parse(host.env("WSYNC_TEST")!) as Setup;
  const fs = ownFileSystem(host);
  const hosted = setup.only === "all";
  const cases = {
    ...fileCases(fs, setup.root),
    ...(hosted && fs.capabilities.atCalls ? notifyCases(host, fs, setup.root) : {}),
    ...(hosted && fs.jobQueue ? jobCases(host, fs, setup.root) : {}),
    ...(hosted && fs.listAhead ? listCases(host, fs, setup.root) : {}),
    ...(hosted ? hostCases(host, setup.ports) : {}),
  };
  const outcomes = await runCases(cases, setup.skips);
  const report = { fileSystem: fs.capabilities.atCalls ? "libc" : "node:fs", ffiMissing: host.ffiMissing, outcomes };
  host.print(1, bytes(JSON.stringify(report) + "\n"));
}

const roles: Readonly<Record<string, (host: Host) => Promise<void>>> = {
  echo: async (host) => {
    const stream = host.stdio();
    for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
      const waiting = stream.write(chunk);
      if (waiting !== undefined) await waiting;
    }
    await stream.end();
  },
  argv: async (host) => host.print(1, bytes(host.argv.slice(1).map(encodeURIComponent).join(" ") + "\n")),
  print: async (host) => {
    for (let i = 0; i < 3; i++) host.print(1, new Uint8Array(1 << 20));
  },
  printclosed: async (host) => {
    let failures = 0;
    for (let i = 0; i < 5; i++) {
      try {
        host.print(1, new Uint8Array(1 << 20));
      } catch {
        failures++;
      }
    }
    host.exit(failures === 0 ? 0 : 1);
  },
  signals: async (host) => {
    const stop = host.onSignal(["SIGHUP", "SIGINT", "SIGUSR1", "SIGTERM"], (signal) => {
      host.print(1, bytes(`signal ${signal}\n`));
      if (signal !== 15) return;
      stop();
      host.exit(3);
    });
    host.print(1, bytes("ready\n"));
    await host.sleep(20000);
  },
  waitexit: (host) => waitAndExit(host, ownFileSystem(host)),
  title: async (host) => {
    host.setTitle("rsync-title");
    host.print(1, bytes("ready\n"));
    await host.sleep(20000);
  },
};
