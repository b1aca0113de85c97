/**
 * Child processes on Deno by posix_spawnp(3), over pipes whose descriptors are ours: Deno.Command offers streams only,
 * at a third of the speed, and cannot pass arguments that are not UTF-8. Linux, 64 bits.
 */
import { ExitCode, TransportError } from "../src/errors.ts";
import { type ChildProcess, type SpawnOptions } from "../src/host.ts";
import { bytesOf, nameOfText } from "../src/memory.ts";
import { type FdCalls, FdStream } from "./_fdstream.ts";

/** The C functions needed beside those of a stream; every address is a number. */
export interface SpawnCalls extends FdCalls {
  pipe2(fds: Int32Array, flags: number): number;
  eventfd(initial: number, flags: number): number;
  posix_spawnp(pid: Int32Array, file: Uint8Array, actions: Uint8Array, attributes: Uint8Array, argv: BigUint64Array,
    envp: BigUint64Array): number;
  posix_spawn_file_actions_init(actions: Uint8Array): number;
  posix_spawn_file_actions_adddup2(actions: Uint8Array, from: number, to: number): number;
  posix_spawn_file_actions_addopen(
    actions: Uint8Array, fd: number, path: Uint8Array, flags: number, mode: number,
  ): number;
  posix_spawn_file_actions_destroy(actions: Uint8Array): number;
  posix_spawnattr_init(attributes: Uint8Array): number;
  posix_spawnattr_setflags(attributes: Uint8Array, flags: number): number;
  posix_spawnattr_setsigdefault(attributes: Uint8Array, set: Uint8Array): number;
  waitpid(pid: number, status: Int32Array, options: number): Promise<number>;
  kill(pid: number, signal: number): number;
  addressOf(view: Uint8Array): number;
}

const O_CLOEXEC = 0o2000000;
const O_WRONLY = 1;
const POSIX_SPAWN_SETSIGDEF = 4;
/** glibc's and musl's structures are smaller than this. */
const STRUCT_BYTES = 512;
const SIGPIPE = 13;
const EXEC_ERRORS: Readonly<Record<number, string>> = {
  2: "No such file or directory (2)", 13: "Permission denied (13)", 8: "Exec format error (8)",
};

/** Starts a child with its standard input and output as one stream. Throws TransportError (14) when it cannot. */
export function spawnChild(
  calls: SpawnCalls, environment: Record<string, string>, options: SpawnOptions,
): ChildProcess {
  const toChild = makePipe(calls);
  const fromChild = makePipe(calls);
  const pid = new Int32Array(1);
  const errno = start(calls, environment, options, toChild[0], fromChild[1], pid);
  calls.close(toChild[0]);
  calls.close(fromChild[1]);
  if (errno !== 0) {
    calls.close(toChild[1]);
    calls.close(fromChild[0]);
    const why = EXEC_ERRORS[errno] ?? `error ${errno}`;
    throw new TransportError(`Failed to exec ${options.argv[0]}: ${why}`, ExitCode.ipc);
  }
  return {
    pid: pid[0],
    stream: new FdStream(calls, fromChild[0], toChild[1]),
    exited: waitFor(calls, pid[0]),
    kill: (signal) => void calls.kill(pid[0], signal),
  };
}

function makePipe(calls: SpawnCalls): [number, number] {
  const fds = new Int32Array(2);
  if (calls.pipe2(fds, O_CLOEXEC) !== 0) throw new TransportError(`no pipe (error ${calls.errno()})`, ExitCode.ipc);
  return [fds[0], fds[1]];
}

/** Returns posix_spawnp's error number. The child gets the default action for SIGPIPE, which Deno ignores. */
function start(
  calls: SpawnCalls, environment: Record<string, string>, options: SpawnOptions, input: number, output: number,
  pid: Int32Array,
): number {
  const actions = new Uint8Array(STRUCT_BYTES);
  const attributes = new Uint8Array(STRUCT_BYTES);
  const signals = new Uint8Array(128);
  signals[(SIGPIPE - 1) >> 3] = 1 << ((SIGPIPE - 1) & 7);
  calls.posix_spawnattr_init(attributes);
  calls.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
  calls.posix_spawnattr_setsigdefault(attributes, signals);
  calls.posix_spawn_file_actions_init(actions);
  calls.posix_spawn_file_actions_adddup2(actions, input, 0);
  calls.posix_spawn_file_actions_adddup2(actions, output, 1);
  if (options.stderr === "ignore") {
    calls.posix_spawn_file_actions_addopen(actions, 2, bytesOf("/dev/null\0"), O_WRONLY, 0);
  }
  const argv = new StringVector(calls, options.argv);
  const envp = new StringVector(calls, environmentList(environment, options.env));
  try {
    const file = bytesOf(options.argv[0] + "\0");
    return calls.posix_spawnp(pid, file, actions, attributes, argv.pointers, envp.pointers);
  } finally {
    calls.posix_spawn_file_actions_destroy(actions);
  }
}

function environmentList(environment: Record<string, string>, changes: SpawnOptions["env"]): string[] {
  const merged: Record<string, string | null> = { ...environment, ...changes };
  const list: string[] = [];
  for (const [name, value] of Object.entries(merged)) if (value !== null) list.push(nameOfText(`${name}=${value}`));
  return list;
}

/** A NULL-terminated array of C strings. `bytes` holds the strings and must stay referenced during the call. */
class StringVector {
  readonly pointers: BigUint64Array;
  readonly bytes: Uint8Array;

  constructor(calls: SpawnCalls, names: readonly string[]) {
    this.pointers = new BigUint64Array(names.length + 1);
    this.bytes = bytesOf(names.map((name) => name + "\0").join("") + "\0".repeat(64));
    let address = BigInt(calls.addressOf(this.bytes));
    for (let i = 0; i < names.length; i++) {
      this.pointers[i] = address;
      address += BigInt(names[i].length + 1);
    }
  }
}

/** Exit code, or minus the signal, from the wait status (sys/wait.h). */
async function waitFor(calls: SpawnCalls, pid: number): Promise<number> {
  const status = new Int32Array(1);
  if ((await calls.waitpid(pid, status, 0)) < 0) return ExitCode.waitChild;
  const signal = status[0] & 0x7f;
  return signal === 0 ? (status[0] >> 8) & 0xff : -signal;
}
