/**
 * Sockets by descriptor: listening, addresses and names of peers, options, and handing a descriptor to another process.
 * Linux. Methods return a value >= 0 or -errno unless they say otherwise. Upstream socket.c, clientname.c.
 */
import { type FfiSignature, type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { Calls, int } from "./calls.ts";
import { readUint64, writeInt64 } from "./structs.ts";

const TABLE = {
  socket: int("i32", "i32", "i32"),
  socketpair: int("i32", "i32", "i32", "ptr"),
  bind: int("i32", "ptr", "u32"),
  connect: int("i32", "ptr", "u32"),
  listen: int("i32", "i32"),
  accept4: int("i32", "ptr", "ptr", "i32"),
  setsockopt: int("i32", "i32", "i32", "ptr", "u32"),
  getsockopt: int("i32", "i32", "i32", "ptr", "ptr"),
  getsockname: int("i32", "ptr", "ptr"),
  getpeername: int("i32", "ptr", "ptr"),
  getaddrinfo: int("ptr", "ptr", "ptr", "ptr"),
  freeaddrinfo: { args: ["ptr"], result: "void" } as FfiSignature,
  getnameinfo: int("ptr", "u32", "ptr", "u32", "ptr", "u32", "i32"),
  memcpy: { args: ["ptr", "ptr", "u64"], result: "ptr" } as FfiSignature,
  sendmsg: int("i32", "ptr", "i32"),
  recvmsg: int("i32", "ptr", "i32"),
  send: int("i32", "ptr", "u64", "i32"),
  poll: int("ptr", "u64", "i32"),
  close: int("i32"),
} as const satisfies Record<string, FfiSignature>;

/** Numbers of sys/socket.h and netdb.h, the same on x64 and arm64. */
const AF = { unix: 1, inet: 2, inet6: 10 } as const;
const SOCK = { stream: 1, dgram: 2, nonBlocking: 0o4000, cloexec: 0o2000000 } as const;
const SOL_SOCKET = 1;
const SO = { reuseAddr: 2, type: 3, acceptConn: 30 } as const;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const AI_PASSIVE = 1;
const NI = { numericHost: 1, numericServ: 2 } as const;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
const POLLOUT = 4;
const POLLFD_BYTES = 8;
const EINTR = 4;
const EAGAIN = 11;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SCM_RIGHTS = 1;
const SOCKADDR_BYTES = 128;
/** struct sockaddr_in: family, port (most significant byte first), address. */
const SOCKADDR_IN_BYTES = 16;
const LOOPBACK = [127, 0, 0, 1] as const;
const LOOPBACK_BACKLOG = 16;
const NAME_BYTES = 1025;
const PATH_BYTES = 108;

/** struct addrinfo on 64-bit Linux. */
const AddrInfo = { byteLength: 48, family: 4, addressLength: 16, address: 24, next: 40 } as const;
/** struct msghdr: name, namelen, iov, iovlen, control, controllen, flags. */
const MsgHdr = { iov: 16, iovLength: 24, control: 32, controlLength: 40 } as const;
const CMSG_HEADER_BYTES = 16;
/** Descriptors in one message, and room for them with their header. */
const MAX_PASSED_FDS = 8;
const CONTROL_BYTES = CMSG_HEADER_BYTES + MAX_PASSED_FDS * 4;
/** A message in scratch memory: header, iovec, control part, then the data. */
const Layout = { iov: 64, control: 80, data: 80 + CONTROL_BYTES } as const;

const IPPROTO_TCP = 6;
const TCP_QUICKACK = 12;

/** A socket option: level, number, and how its value is given. */
type OptionRow = readonly [level: number, option: number, kind: "value" | "on", on?: number];

/** Options that "socket options" and --sockopts know. Upstream socket.c:socket_options. */
const OPTIONS: Readonly<Record<string, OptionRow>> = {
  SO_KEEPALIVE: [SOL_SOCKET, 9, "value"], SO_REUSEADDR: [SOL_SOCKET, 2, "value"],
  SO_BROADCAST: [SOL_SOCKET, 6, "value"],
  TCP_NODELAY: [IPPROTO_TCP, 1, "value"], IPTOS_LOWDELAY: [0, 1, "on", 0x10], IPTOS_THROUGHPUT: [0, 1, "on", 0x08],
  SO_SNDBUF: [SOL_SOCKET, 7, "value"], SO_RCVBUF: [SOL_SOCKET, 8, "value"], SO_SNDLOWAT: [SOL_SOCKET, 19, "value"],
  SO_RCVLOWAT: [SOL_SOCKET, 18, "value"], SO_SNDTIMEO: [SOL_SOCKET, 21, "value"],
  SO_RCVTIMEO: [SOL_SOCKET, 20, "value"],
};

/** A peer's address, as getnameinfo(3) writes it. "local" is a socket of this machine without an address. */
export interface PeerName {
  readonly kind: "inet" | "local";
  readonly address: string;
  readonly port: number;
}

/** See the head of this file. */
export class Sockets {
  private readonly calls: Calls<keyof typeof TABLE>;

  private constructor(calls: Calls<keyof typeof TABLE>) {
    this.calls = calls;
  }

  /** Null where these calls cannot be made. */
  static open(host: Host, memory: LinearMemory): Sockets | null {
    const calls = Calls.bind(host, memory, TABLE);
    return calls === null ? null : new Sockets(calls);
  }

  /** Is the descriptor a socket? */
  isSocket(fd: number): boolean {
    return this.option(fd, SO.type) >= 0;
  }

  /** Is it one that listens? */
  isListening(fd: number): boolean {
    return this.option(fd, SO.acceptConn) > 0;
  }

  /** An option's value, or -1. */
  private option(fd: number, name: number): number {
    const { calls } = this;
    return calls.scratch(8, (ptr) => {
      calls.memory.u32[(ptr >>> 2) + 1] = 4;
      const got = calls.c.getsockopt(fd, SOL_SOCKET, name, calls.at(ptr), calls.at(ptr + 4));
      return got === 0 ? calls.memory.i32[ptr >>> 2] : -1;
    });
  }

  /**
   * Bound sockets for every address that `address` ("": all of the machine) has, not yet listening, and what went
   * wrong with others. Upstream open_socket_in.
   */
  bind(
    address: string, port: number, family: 0 | 4 | 6, options: (fd: number) => void,
    strerror: (errno: number) => string,
  ): { readonly fds: number[]; readonly faults: string[] } {
    const fds: number[] = [];
    const faults: string[] = [];
    const failed = this.eachAddress(address, port, family, AI_PASSIVE, (found, sockaddr, byteLength) => {
      const fd = this.calls.result(this.calls.c.socket(found, SOCK.stream | SOCK.cloexec, 0));
      if (fd < 0) {
        faults.push(`socket(${found},${SOCK.stream},6) failed: ${strerror(-fd)}`);
        return;
      }
      this.setInt(fd, SOL_SOCKET, SO.reuseAddr, 1);
      options(fd);
      if (found === AF.inet6) this.setInt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
      const bound = this.calls.result(this.calls.c.bind(fd, this.calls.at(sockaddr), byteLength));
      if (bound >= 0) {
        fds.push(fd);
        return;
      }
      faults.push(`bind() failed: ${strerror(-bound)} (address-family ${found})`);
      this.calls.c.close(fd);
    });
    if (failed !== 0) faults.push(`getaddrinfo: bind address ${address}: ${gaiWords(failed)}`);
    return { fds, faults };
  }

  listen(fd: number, backlog: number): number {
    return this.calls.result(this.calls.c.listen(fd, backlog));
  }

  /** The next waiting connection, closed on exec and not blocking; -EAGAIN when there is none (on such a socket). */
  accept(fd: number): number {
    return this.calls.result(this.calls.c.accept4(fd, 0, 0, SOCK.cloexec | SOCK.nonBlocking));
  }

  /** Who is at the other end; null when that cannot be told. */
  peer(fd: number): PeerName | null {
    const { calls } = this;
    return calls.scratch(SOCKADDR_BYTES + 8, (ptr) => {
      const length = ptr + SOCKADDR_BYTES;
      calls.memory.u32[length >>> 2] = SOCKADDR_BYTES;
      if (calls.c.getpeername(fd, calls.at(ptr), calls.at(length)) !== 0) return null;
      const family = calls.memory.u8[ptr] | (calls.memory.u8[ptr + 1] << 8);
      if (family === AF.unix) return { kind: "local", address: "", port: 0 };
      return this.nameOf(ptr, calls.memory.u32[length >>> 2]);
    });
  }

  private nameOf(sockaddr: number, byteLength: number): PeerName | null {
    const address = this.nameInfo(sockaddr, byteLength, NI.numericHost | NI.numericServ);
    return typeof address === "number" ? null : { kind: "inet", address, port: portAt(this.calls.memory, sockaddr) };
  }

  private nameInfo(sockaddr: number, byteLength: number, flags: number): string | number {
    const { calls } = this;
    return calls.scratch(NAME_BYTES, (ptr) => {
      const failed = calls.c.getnameinfo(calls.at(sockaddr), byteLength, calls.at(ptr), NAME_BYTES, 0, 0, flags);
      if (failed !== 0) return failed;
      return calls.memory.readLatin1(ptr, calls.memory.u8.indexOf(0, ptr) - ptr);
    });
  }

  /** Calls `visit` with each address that getaddrinfo finds, copied to memory; returns its error number or 0. */
  private eachAddress(
    name: string, port: number, family: 0 | 4 | 6, flags: number,
    visit: (family: number, sockaddr: number, byteLength: number) => void,
  ): number {
    const { calls } = this;
    const { memory } = calls;
    return calls.scratch(AddrInfo.byteLength * 2 + 8 + SOCKADDR_BYTES, (ptr) => {
      const [info, head, sockaddr] = [ptr + AddrInfo.byteLength, ptr + AddrInfo.byteLength * 2,
        ptr + AddrInfo.byteLength * 2 + 8];
      memory.i32[ptr >>> 2] = flags;
      memory.i32[(ptr >>> 2) + 1] = family === 4 ? AF.inet : family === 6 ? AF.inet6 : 0;
      memory.i32[(ptr >>> 2) + 2] = SOCK.stream;
      const failed = this.withOptionalName(name, (host) => calls.withName(String(port), (service) =>
        calls.c.getaddrinfo(host, service, calls.at(ptr), calls.at(head))));
      if (failed !== 0) return failed;
      const first = readUint64(memory, head);
      for (let at = first; at !== 0; at = readUint64(memory, info + AddrInfo.next)) {
        calls.c.memcpy(calls.at(info), at, AddrInfo.byteLength);
        const byteLength = Math.min(SOCKADDR_BYTES, memory.u32[(info + AddrInfo.addressLength) >>> 2]);
        calls.c.memcpy(calls.at(sockaddr), readUint64(memory, info + AddrInfo.address), byteLength);
        visit(memory.i32[(info + AddrInfo.family) >>> 2], sockaddr, byteLength);
      }
      calls.c.freeaddrinfo(first);
      return 0;
    });
  }

  private withOptionalName<T>(name: string, action: (address: number) => T): T {
    return name === "" ? action(0) : this.calls.withName(name, action);
  }

  private setInt(fd: number, level: number, option: number, value: number): number {
    const { calls } = this;
    return calls.scratch(8, (ptr) => {
      calls.memory.i32[ptr >>> 2] = value;
      return calls.result(calls.c.setsockopt(fd, level, option, calls.at(ptr), 4));
    });
  }

  /**
   * Has what a TCP socket received acknowledged now, not with the next data in the other direction. Nothing happens to
   * other sockets.
   */
  acknowledge(fd: number): void {
    this.setInt(fd, IPPROTO_TCP, TCP_QUICKACK, 1);
  }

  /** Sets a list of options; `fault` is told of each that is unknown or refused. Upstream set_socket_options. */
  setOptions(fd: number, list: string, fault: (text: string, errno: number) => void): void {
    for (const word of list.split(/[ \t,]+/).filter((one) => one !== "")) {
      const equals = word.indexOf("=");
      const name = equals < 0 ? word : word.slice(0, equals);
      const row = OPTIONS[name];
      if (row === undefined) {
        fault(`Unknown socket option ${name}`, 0);
        continue;
      }
      const [level, option, kind, on] = row;
      if (kind === "on" && equals >= 0) fault(`syntax error -- ${name} does not take a value`, 0);
      const value = kind === "on" ? on! : equals < 0 ? 1 : Number.parseInt(word.slice(equals + 1), 10) || 0;
      const done = this.setInt(fd, level, option, value);
      if (done < 0) fault(`failed to set socket option ${name}`, -done);
    }
  }

  /** Two connected sockets of this machine, closed on exec; null when there are no more descriptors. */
  pair(): readonly [number, number] | null {
    const { calls } = this;
    return calls.scratch(8, (ptr) => {
      if (calls.c.socketpair(AF.unix, SOCK.stream | SOCK.cloexec, 0, calls.at(ptr)) !== 0) return null;
      return [calls.memory.i32[ptr >>> 2], calls.memory.i32[(ptr >>> 2) + 1]];
    });
  }

  /**
   * Two ends of a TCP connection within this machine, closed on exec; null when there cannot be one. Upstream
   * socket.c:socketpair_tcp.
   */
  tcpPair(): readonly [number, number] | null {
    const listener = this.loopbackSocket();
    const first = this.loopbackSocket();
    const second = listener < 0 || first < 0 ? -1 : this.join(listener, first);
    if (listener >= 0) this.calls.c.close(listener);
    if (second >= 0) return [first, second];
    if (first >= 0) this.calls.c.close(first);
    return null;
  }

  /** A TCP socket with an address of its own on the loopback interface. */
  private loopbackSocket(): number {
    const { calls } = this;
    const fd = calls.result(calls.c.socket(AF.inet, SOCK.stream | SOCK.cloexec, 0));
    if (fd < 0) return fd;
    const bound = calls.scratch(SOCKADDR_BYTES, (ptr) => {
      calls.memory.u8.fill(0, ptr, ptr + SOCKADDR_IN_BYTES);
      calls.memory.u8[ptr] = AF.inet;
      calls.memory.u8.set(LOOPBACK, ptr + 4);
      return calls.result(calls.c.bind(fd, calls.at(ptr), SOCKADDR_IN_BYTES));
    });
    if (bound >= 0) return fd;
    calls.c.close(fd);
    return bound;
  }

  /** Connects `first` to `listener`; the other end, or -1. Somebody else's connection that came between is dropped. */
  private join(listener: number, first: number): number {
    const { calls } = this;
    return calls.scratch(SOCKADDR_BYTES * 2 + 8, (ptr) => {
      const own = ptr + SOCKADDR_BYTES;
      if (this.listen(listener, LOOPBACK_BACKLOG) < 0) return -1;
      if (!this.nameInto(listener, ptr) || !this.nameInto(first, own)) return -1;
      if (calls.c.connect(first, calls.at(ptr), SOCKADDR_IN_BYTES) !== 0) return -1;
      const port = portAt(calls.memory, own);
      for (;;) {
        const second = calls.result(calls.c.accept4(listener, 0, 0, SOCK.cloexec));
        if (second < 0 || this.peer(second)?.port === port) return second;
        calls.c.close(second);
      }
    });
  }

  /** Writes the socket's own address to memory. */
  private nameInto(fd: number, ptr: number): boolean {
    const { calls } = this;
    return calls.scratch(8, (length) => {
      calls.memory.u32[length >>> 2] = SOCKADDR_BYTES;
      return calls.c.getsockname(fd, calls.at(ptr), calls.at(length)) === 0;
    });
  }

  /** A socket connected to a local one by path ("@NAME": an abstract one), datagrams or a stream. */
  connectLocal(path: string, kind: "dgram" | "stream"): number {
    const { calls } = this;
    if (path.length >= PATH_BYTES) return -36;
    const fd = calls.result(calls.c.socket(AF.unix, SOCK[kind] | SOCK.cloexec, 0));
    if (fd < 0) return fd;
    const connected = calls.scratch(SOCKADDR_BYTES, (ptr) => {
      calls.memory.u8[ptr] = AF.unix;
      calls.memory.writeLatin1(ptr + 2, path.startsWith("@") ? `\0${path.slice(1)}` : path);
      return calls.result(calls.c.connect(fd, calls.at(ptr), 2 + path.length + (path.startsWith("@") ? 0 : 1)));
    });
    if (connected >= 0) return fd;
    calls.c.close(fd);
    return connected;
  }

  /** Sends bytes of memory as they are; no signal when nobody listens any more. */
  send(fd: number, ptr: number, byteLength: number): number {
    return this.calls.result(this.calls.c.send(fd, this.calls.at(ptr), byteLength, MSG_NOSIGNAL));
  }

  /**
   * Sends bytes of memory, and waits up to `waits` times `waitMs` for the socket to take more. Returns how many went;
   * why no more did is for the next who writes to find out.
   */
  sendWithin(fd: number, ptr: number, byteLength: number, waits: number, waitMs: number): number {
    const { calls } = this;
    for (let done = 0; ; ) {
      const left = byteLength - done;
      const count = calls.result(calls.c.send(fd, calls.at(ptr + done), left, MSG_NOSIGNAL | MSG_DONTWAIT));
      if (count > 0) done += count;
      if (done === byteLength || (count < 0 && count !== -EAGAIN && count !== -EINTR)) return done;
      if (waits-- === 0 || !this.takesMore(fd, waitMs)) return done;
    }
  }

  /** Waits until the socket can be written to, or has failed; false when it could not be by then. */
  private takesMore(fd: number, waitMs: number): boolean {
    const { calls } = this;
    return calls.scratch(POLLFD_BYTES, (ptr) => {
      calls.memory.i32[ptr >>> 2] = fd;
      calls.memory.i32[(ptr >>> 2) + 1] = POLLOUT;
      return calls.c.poll(calls.at(ptr), 1, waitMs) > 0;
    });
  }

  /** Sends bytes and descriptors along with the first of them; returns the bytes that went. */
  sendDescriptors(socket: number, bytes: Uint8Array, fds: readonly number[]): number {
    const { calls } = this;
    const controlLength = CMSG_HEADER_BYTES + fds.length * 4;
    return calls.scratch(Layout.data + bytes.length, (ptr) => {
      this.layOut(ptr, bytes.length, fds.length === 0 ? 0 : controlLength);
      const { memory } = calls;
      const control = ptr + Layout.control;
      memory.u8.set(bytes, ptr + Layout.data);
      writeInt64(memory, control, controlLength);
      memory.i32[(control >>> 2) + 2] = SOL_SOCKET;
      memory.i32[(control >>> 2) + 3] = SCM_RIGHTS;
      fds.forEach((fd, i) => (memory.i32[((control + CMSG_HEADER_BYTES) >>> 2) + i] = fd));
      return calls.result(calls.c.sendmsg(socket, calls.at(ptr), MSG_NOSIGNAL));
    });
  }

  /** Receives up to `most` bytes and the descriptors that came along; waits. Null at the end or after an error. */
  receiveDescriptors(socket: number, most: number): { readonly bytes: Uint8Array; readonly fds: number[] } | null {
    const { calls } = this;
    return calls.scratch(Layout.data + most, (ptr) => {
      this.layOut(ptr, most, CONTROL_BYTES);
      const { memory } = calls;
      const control = ptr + Layout.control;
      let count: number;
      do count = calls.result(calls.c.recvmsg(socket, calls.at(ptr), MSG_CMSG_CLOEXEC)); while (count === -4);
      if (count <= 0) return null;
      // The header's own length; the message's is rounded up, to a descriptor that is none.
      const got = readUint64(memory, ptr + MsgHdr.controlLength) === 0 ? 0 : readUint64(memory, control);
      const fds: number[] = [];
      for (let at = control + CMSG_HEADER_BYTES; at + 4 <= control + got; at += 4) fds.push(memory.i32[at >>> 2]);
      return { bytes: memory.bytes(ptr + Layout.data, count).slice(), fds };
    });
  }

  /** Fills in a msghdr and its iovec. */
  private layOut(ptr: number, dataLength: number, controlLength: number): void {
    const { calls } = this;
    writeInt64(calls.memory, ptr + MsgHdr.iov, calls.at(ptr + Layout.iov));
    writeInt64(calls.memory, ptr + MsgHdr.iovLength, 1);
    writeInt64(calls.memory, ptr + MsgHdr.control, controlLength === 0 ? 0 : calls.at(ptr + Layout.control));
    writeInt64(calls.memory, ptr + MsgHdr.controlLength, controlLength);
    writeInt64(calls.memory, ptr + Layout.iov, calls.at(ptr + Layout.data));
    writeInt64(calls.memory, ptr + Layout.iov + 8, dataLength);
  }
}

/** The port of an internet address, of either family. */
function portAt(memory: LinearMemory, sockaddr: number): number {
  return (memory.u8[sockaddr + 2] << 8) | memory.u8[sockaddr + 3];
}

/** Words of gai_strerror(3). */
function gaiWords(code: number): string {
  const words: Readonly<Record<number, string>> = {
    [-2]: "Name or service not known", [-3]: "Temporary failure in name resolution",
    [-4]: "Non-recoverable failure in name resolution", [-5]: "No address associated with hostname",
    [-6]: "ai_family not supported", [-8]: "Servname not supported for ai_socktype", [-10]: "Memory allocation failure",
    [-11]: "System error",
  };
  return words[code] ?? `error ${code}`;
}
