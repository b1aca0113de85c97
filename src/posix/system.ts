/**
 * Calls about processes and identity: starting programs, waiting for them, changing root directory, user and groups.
 * Linux. Methods return a value >= 0 or -errno.
 *
 * The identity calls are the C library's own, which change every thread of the process; the bare system calls would
 * change one.
 */
import { type FfiSignature, type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { Calls, int } from "./calls.ts";
import { PASSWD_BYTES, PASSWD_ID, readUint64, writeInt64 } from "./structs.ts";

const TABLE = {
  chroot: int("ptr"),
  setuid: int("u32"),
  setgid: int("u32"),
  setgroups: int("u64", "ptr"),
  getgrouplist: int("ptr", "u32", "ptr", "ptr"),
  getpwuid_r: int("u32", "ptr", "ptr", "u64", "ptr"),
  getuid: int(),
  sysconf: { args: ["i32"], result: "i64" } as FfiSignature,
  posix_spawnp: int("ptr", "ptr", "ptr", "ptr", "ptr", "ptr"),
  posix_spawn_file_actions_init: int("ptr"),
  posix_spawn_file_actions_adddup2: int("ptr", "i32", "i32"),
  posix_spawn_file_actions_addopen: int("ptr", "i32", "ptr", "i32", "u32"),
  posix_spawn_file_actions_destroy: int("ptr"),
  posix_spawnattr_init: int("ptr"),
  posix_spawnattr_setflags: int("ptr", "i32"),
  posix_spawnattr_setsigdefault: int("ptr", "ptr"),
  posix_spawnattr_setsigmask: int("ptr", "ptr"),
  waitpid: int("i32", "ptr", "i32"),
  kill: int("i32", "i32"),
  pipe2: int("ptr", "i32"),
  dup2: int("i32", "i32"),
  open: { args: ["ptr", "i32", "u32"], result: "i32", variadicFrom: 2 } as FfiSignature,
  close: int("i32"),
  fcntl: { args: ["i32", "i32", "i64"], result: "i32", variadicFrom: 2 } as FfiSignature,
  flock: int("i32", "i32"),
  innetgr: int("ptr", "ptr", "ptr", "ptr"),
} as const satisfies Record<string, FfiSignature>;

const O_CLOEXEC = 0o2000000;
const O_RDWR = 2;
const F_DUPFD_CLOEXEC = 1030;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETLK = 6;
const F_OFD_SETLK = 37;
const O_NONBLOCK = 0o4000;
const FD_CLOEXEC = 1;
const F_WRLCK = 1;
const WNOHANG = 1;
const SpawnFlag = { setSigDef: 0x04, setSigMask: 0x08, setSid: 0x80 } as const;
/** glibc's and musl's posix_spawn structures are smaller than this. */
const STRUCT_BYTES = 512;
const SIGSET_BYTES = 128;
const LOCK_EX_NB = 6;
/** The same number in glibc and musl. */
const SC_NPROCESSORS_ONLN = 84;
/** struct flock: type, whence (16 bits each), start at 8, length at 16, pid at 24. */
const FLOCK_BYTES = 32;
/** Offset of the group id in struct passwd. */
const PASSWD_GID = PASSWD_ID + 4;
/** Sources of a spawn's file actions are kept above its targets, and from here on. */
const FIRST_FREE_FD = 32;
const MAX_GROUPS = 65536;

/** How to start a program. */
export interface Start {
  /** argv[0] is looked up in PATH. */
  readonly argv: readonly string[];
  /** The whole environment, NAME=VALUE as names. */
  readonly env: readonly string[];
  /** Descriptor of the child → ours; "null" is /dev/null. Others than these and 0, 1, 2 are not inherited. */
  readonly fds: Readonly<Record<number, number | "null">>;
  /** Make it the leader of a session of its own. */
  readonly newSession?: boolean;
}

/** How a process ended: its exit code, or minus the number of the signal that ended it. `raw` is wait(2)'s status. */
export interface Ended {
  readonly code: number;
  readonly raw: number;
}

/** See the head of this file. */
export class System {
  private readonly calls: Calls<keyof typeof TABLE>;

  private constructor(calls: Calls<keyof typeof TABLE>) {
    this.calls = calls;
  }

  /** Null where these calls cannot be made. */
  static open(host: Host, memory: LinearMemory): System | null {
    const calls = Calls.bind(host, memory, TABLE);
    return calls === null ? null : new System(calls);
  }

  uid(): number {
    return this.calls.c.getuid() >>> 0;
  }

  /** Processors that are on line, at least 1. */
  processors(): number {
    return Math.max(1, this.calls.c.sysconf(SC_NPROCESSORS_ONLN));
  }

  chroot(path: string): number {
    const { calls } = this;
    return calls.withName(path, (address) => calls.result(calls.c.chroot(address)));
  }

  setuid(uid: number): number {
    return this.calls.result(this.calls.c.setuid(uid >>> 0));
  }

  setgid(gid: number): number {
    return this.calls.result(this.calls.c.setgid(gid >>> 0));
  }

  setgroups(gids: readonly number[]): number {
    const { calls } = this;
    return calls.scratch(gids.length * 4 + 4, (ptr) => {
      gids.forEach((gid, i) => (calls.memory.u32[(ptr >>> 2) + i] = gid));
      return calls.result(calls.c.setgroups(gids.length, calls.at(ptr)));
    });
  }

  /** All groups of a user id, its own first; null when there is no such user. Upstream uidlist.c:getallgroups. */
  groupsOf(uid: number): number[] | null {
    const account = this.account(uid);
    if (account === null) return null;
    for (let room = 64; room <= MAX_GROUPS; room *= 8) {
      const groups = this.groupList(account, room);
      if (groups !== null) return groups;
    }
    return null;
  }

  private groupList({ name, gid }: { name: string; gid: number }, room: number): number[] | null {
    const { calls } = this;
    return calls.scratch(room * 4 + 8, (ptr) => {
      const { u32 } = calls.memory;
      const count = (ptr >>> 2) + room;
      u32[count] = room;
      const found = calls.withName(name, (address) =>
        calls.c.getgrouplist(address, gid, calls.at(ptr), calls.at(count * 4)));
      if (found < 0) return null;
      const groups = Array.from(u32.subarray(ptr >>> 2, (ptr >>> 2) + u32[count]));
      return [gid, ...groups.filter((one) => one !== gid)];
    });
  }

  /** Name and group of a user id, or null. */
  private account(uid: number): { name: string; gid: number } | null {
    const { calls } = this;
    const room = 65536;
    return calls.scratch(PASSWD_BYTES + 8 + room, (ptr) => {
      const { memory } = calls;
      const found = ptr + PASSWD_BYTES;
      const errno = calls.c.getpwuid_r(uid, calls.at(ptr), calls.at(found + 8), room, calls.at(found));
      if (errno !== 0 || readUint64(memory, found) === 0) return null;
      const start = readUint64(memory, ptr) - memory.base;
      const name = memory.readLatin1(start, memory.u8.indexOf(0, start) - start);
      return { name, gid: memory.u32[(ptr + PASSWD_GID) >>> 2] };
    });
  }

  /** Starts a program; its process id or -errno. Signals have their default actions in it. */
  spawn(start: Start): number {
    const { calls } = this;
    const moved = this.moveUp(start.fds);
    try {
      return calls.scratch(STRUCT_BYTES * 2 + SIGSET_BYTES + 8, (ptr) => this.spawnWith(start, moved, ptr));
    } finally {
      for (const fd of moved.values()) if (fd >= 0) this.close(fd);
    }
  }

  /** Copies of the source descriptors above all targets, so that no action overwrites the source of another. */
  private moveUp(fds: Start["fds"]): Map<number, number> {
    const moved = new Map<number, number>();
    const least = Math.max(FIRST_FREE_FD, ...Object.keys(fds).map((fd) => Number(fd) + 1));
    for (const [target, source] of Object.entries(fds)) {
      moved.set(Number(target), source === "null" ? -1 : this.duplicate(source, least));
    }
    return moved;
  }

  private spawnWith(start: Start, fds: Map<number, number>, ptr: number): number {
    const { calls } = this;
    const { c, memory } = calls;
    const actions = calls.at(ptr);
    const attributes = calls.at(ptr + STRUCT_BYTES);
    const signals = ptr + STRUCT_BYTES * 2;
    const pid = signals + SIGSET_BYTES;
    c.posix_spawn_file_actions_init(actions);
    c.posix_spawnattr_init(attributes);
    const session = start.newSession ? SpawnFlag.setSid : 0;
    c.posix_spawnattr_setflags(attributes, SpawnFlag.setSigDef | SpawnFlag.setSigMask | session);
    c.posix_spawnattr_setsigmask(attributes, calls.at(signals));
    memory.u8.fill(0xff, signals, signals + 8);
    c.posix_spawnattr_setsigdefault(attributes, calls.at(signals));
    const errno = calls.withName("/dev/null", (nothing) => {
      for (const [target, source] of fds) {
        if (source < 0) c.posix_spawn_file_actions_addopen(actions, target, nothing, O_RDWR, 0);
        else c.posix_spawn_file_actions_adddup2(actions, source, target);
      }
      return calls.withVector(start.argv, (argv) => calls.withVector(start.env, (env) =>
        calls.withName(start.argv[0], (file) => c.posix_spawnp(calls.at(pid), file, actions, attributes, argv, env))));
    });
    c.posix_spawn_file_actions_destroy(actions);
    return errno === 0 ? memory.i32[pid >>> 2] : -errno;
  }

  /** How a child ended; null while it runs (only without `wait`). A child that is not ours counts as ended badly. */
  waitFor(pid: number, wait: boolean): Ended | null {
    const { calls } = this;
    return calls.scratch(8, (ptr) => {
      let got: number;
      do got = calls.result(calls.c.waitpid(pid, calls.at(ptr), wait ? 0 : WNOHANG)); while (got === -4);
      if (got === 0) return null;
      const raw = got < 0 ? -1 : calls.memory.i32[ptr >>> 2];
      const signal = raw & 0x7f;
      return { raw, code: raw < 0 ? -1 : signal === 0 ? (raw >> 8) & 0xff : -signal };
    });
  }

  kill(pid: number, signal: number): number {
    return this.calls.result(this.calls.c.kill(pid, signal));
  }

  /** Reading and writing end of a new pipe, closed on exec; null when there are no more descriptors. */
  pipe(): { readonly read: number; readonly write: number } | null {
    const { calls } = this;
    return calls.scratch(8, (ptr) => {
      if (calls.c.pipe2(calls.at(ptr), O_CLOEXEC) !== 0) return null;
      return { read: calls.memory.i32[ptr >>> 2], write: calls.memory.i32[(ptr >>> 2) + 1] };
    });
  }

  /** Another descriptor for the same thing, the lowest free one from `least` on. */
  duplicate(fd: number, least = 3): number {
    return this.calls.result(this.calls.c.fcntl(fd, F_DUPFD_CLOEXEC, least));
  }

  /** Makes descriptors stand for nothing, as a program wants that has nobody to talk to there. */
  discard(fds: readonly number[]): void {
    const { calls } = this;
    const nothing = calls.withName("/dev/null", (path) => calls.c.open(path, O_RDWR | O_CLOEXEC, 0));
    if (nothing < 0) return;
    for (const fd of fds) calls.c.dup2(nothing, fd);
    this.close(nothing);
  }

  closeOnExec(fd: number): void {
    this.calls.c.fcntl(fd, F_SETFD, FD_CLOEXEC);
  }

  setNonBlocking(fd: number, on: boolean): void {
    const flags = this.calls.c.fcntl(fd, F_GETFL, 0);
    this.calls.c.fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
  }

  /**
   * Tries to lock bytes of a file for writing. `owner`: the lock belongs to the process and ends with it, or to the
   * open file, wherever its descriptors go. The two kinds exclude each other.
   */
  lock(fd: number, start: number, byteLength: number, owner: "process" | "file"): boolean {
    const { calls } = this;
    return calls.scratch(FLOCK_BYTES, (ptr) => {
      calls.memory.u32[ptr >>> 2] = F_WRLCK;
      writeInt64(calls.memory, ptr + 8, start);
      writeInt64(calls.memory, ptr + 16, byteLength);
      return calls.c.fcntl(fd, owner === "file" ? F_OFD_SETLK : F_SETLK, calls.at(ptr)) === 0;
    });
  }

  /** Tries to lock a whole open file, a directory too, for itself (flock); 0 or -errno, -EAGAIN when another has it. */
  lockWhole(fd: number): number {
    return this.calls.result(this.calls.c.flock(fd, LOCK_EX_NB));
  }

  /** Is a host in a netgroup? */
  inNetgroup(group: string, host: string): boolean {
    const { calls } = this;
    return calls.withName(group, (a) => calls.withName(host, (b) => calls.c.innetgr(a, b, 0, 0))) === 1;
  }

  close(fd: number): void {
    this.calls.c.close(fd);
  }
}
