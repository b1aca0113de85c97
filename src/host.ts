/**
 * What wsync asks of the runtime it runs on: types only.
 *
 * `runtimes/*` build one Host each; nothing under src/ names a runtime. A missing ability is a null member or a
 * capability flag that options/ and files/ read, never a runtime test in the middle of a role. Names and paths are
 * strings with one code unit per byte; text (messages) is ordinary strings.
 */

/** C types of the libc table. `ptr` is a native address as a number; 64-bit values are numbers within ±2^53. */
export type FfiType = "i32" | "u32" | "i64" | "u64" | "ptr" | "void";

/** Signature of one C function. `variadicFrom`: index of the first variadic argument, for calling conventions. */
export interface FfiSignature {
  readonly args: readonly FfiType[];
  readonly result: FfiType;
  readonly variadicFrom?: number;
}

/** A bound C function: numbers in, number out (undefined for void). Never throws, never blocks the event loop only. */
export type FfiFunction = (...args: number[]) => number;

/** Foreign functions: how src/posix and src/compress reach libc and the system libraries. */
export interface Ffi {
  /**
   * Binds the symbols a library has; absent ones are left out. `null` looks in the program's global scope. The library
   * must prefer its own symbols (RTLD_DEEPBIND): node exports a zlib of its own, which libz would call into.
   */
  dlopen(library: string | null, symbols: Readonly<Record<string, FfiSignature>>): Record<string, FfiFunction> | null;
  /** Native address of the first byte of a view. The memory must not move while the address is in use. */
  addressOf(view: Uint8Array): number;
  /** The C errno of the last call. */
  errno(): number;
}

/**
 * A two-way stream of bytes: a socket, a pair of pipes, or an in-process pipe.
 */
export interface ByteStream {
  /**
   * The next chunk, or null at end of stream. The view is valid until the next call of `read`.
   * Rejects with TransportError when the connection fails.
   */
  read(): Promise<Uint8Array | null>;
  /**
   * Optional: from some later read on, chunks are read into this buffer. It may lie in shared memory, and a stream that
   * has this function takes chunks of shared memory in `write`.
   */
  useBuffer?(buffer: Uint8Array): void;
  /** The address of the other end, of a connected socket where the runtime tells. */
  readonly remoteAddress?: string;
  /** Optional: the reader is done with the last chunk, before it asks for another. */
  consumed?(): void;
  /** Optional, of TCP: all that was received is acknowledged now, not with data in the other direction. */
  readonly acknowledge?: () => void;
  /**
   * Sends a chunk. `undefined`: the bytes were taken and the caller may reuse the buffer at once. A promise: the
   * buffer belongs to the stream until it resolves. Rejects with TransportError when the connection fails.
   */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Half-closes the writing side after everything written has gone out. */
  end(): Promise<void>;
  /** Closes at once, dropping what is unsent. Idempotent. */
  destroy(): void;
}

/** A started child process with its standard input and output as one stream. */
export interface ChildProcess {
  readonly pid: number;
  readonly stream: ByteStream;
  /** Resolves at exit: the code, or -signal. */
  readonly exited: Promise<number>;
  kill(signal: number): void;
}

/** How a program is started. */
export interface SpawnOptions {
  /** argv[0] is looked up in PATH. */
  readonly argv: readonly string[];
  /** Extra environment; null removes a name. */
  readonly env?: Readonly<Record<string, string | null>>;
  /** Where the child's standard error goes. */
  readonly stderr?: "inherit" | "ignore";
  /** One socket as standard input and output, as a daemon started by inetd has it; a runtime may give two pipes. */
  readonly socket?: boolean;
}

/** Where a TCP connection goes, and how. */
export interface ConnectOptions {
  readonly hostname: string;
  readonly port: number;
  readonly family: 0 | 4 | 6;
  readonly localAddress?: string;
  /** 0 waits for ever. */
  readonly timeoutMs: number;
  /** setsockopt list in rsync's --sockopts syntax. */
  readonly socketOptions?: string;
}

/** Waits, off the event loop, until a descriptor can be read. One wait at a time. */
export interface ReadWaiter {
  /** Resolves true once there is something to read, false after `stop`. */
  wait(): Promise<boolean>;
  /** Ends the wait under way and all later ones; the descriptor may then be closed. Idempotent. */
  stop(): void;
}

/** The runtime's file functions for hosts without FFI, and for the few whole-file reads outside a role. */
export interface HostFiles {
  /** node:fs (or its equal), used by src/posix when libc cannot be called; null in a browser. */
  readonly nodeFs: unknown;
  /** A name as `nodeFs` takes it, where that is not bytes; throws with the code EILSEQ when it cannot be told. */
  nodePath?(name: string): unknown;
  /** A whole small file as bytes; throws the runtime's error. */
  readFile(path: string): Uint8Array;
  /** Ids of this process for the node:fs file system; libc is asked otherwise. */
  ids?(): { readonly euid: number; readonly egid: number; readonly groups: readonly number[] };
  /** Sets the file creation mask and returns the old one. */
  umask?(mask: number): number;
  /** Changes the working directory; throws the runtime's error. */
  chdir?(path: string): void;
}

/** A stream over one descriptor. */
export interface DescriptorStream extends ByteStream {
  readonly fd: number;
}

/** Sockets by descriptor; src/posix makes them. */
export interface HostSockets {
  /** A stream over a connected socket, which it takes over: `destroy` closes the descriptor and nothing more. */
  adopt(fd: number): DescriptorStream;
  /** Accepts connections of a listening socket, which it takes over, until the returned function is called. */
  accept(fd: number, handler: (connection: DescriptorStream) => void): () => void;
}

/** Certificates as PEM. */
export interface TlsIdentity {
  readonly certificate: Uint8Array;
  readonly key: Uint8Array;
}

/** What a TLS door lets in. */
export interface TlsListenOptions {
  /** "": all addresses of the machine. */
  readonly hostname: string;
  readonly port: number;
  readonly identity: TlsIdentity;
  /** Authorities of clients' certificates as PEM; null: clients need none. */
  readonly clientAuthorities: Uint8Array | null;
  /** Handshakes that take longer are ended, milliseconds. */
  readonly handshakeMs: number;
  /** Handshakes under way at a time; beyond that the one that has waited longest is ended. */
  readonly mostHandshakes: number;
  /** Told of a handshake that came to nothing. */
  failed(address: string, reason: string): void;
}

/** A TLS door that is open. */
export interface TlsDoor {
  /** The certificate for connections from now on. Throws the runtime's error for what is none. */
  renew(identity: TlsIdentity, clientAuthorities: Uint8Array | null): void;
  close(): void;
}

/** What a TLS client goes by. */
export interface TlsConnectOptions extends ConnectOptions {
  /** The name that the server's certificate must be for. */
  readonly serverName: string;
  /** Authorities as PEM; null: the runtime's own. */
  readonly authorities: Uint8Array | null;
  /** The client's own certificate, when it has one. */
  readonly identity: TlsIdentity | null;
  /** What of the server's certificate is checked. */
  readonly check: "all" | "authority" | "nothing";
  /** Called with the connection before the handshake, when a proxy has to be told where to connect to. */
  before?(stream: ByteStream): Promise<void>;
}

/** TLS by the runtime. */
export interface HostTls {
  /** Listens; `take` gets each connection once its handshake is done. Rejects with TransportError (10). */
  listen(options: TlsListenOptions, take: (stream: ByteStream, address: string) => void): Promise<TlsDoor>;
  /** Throws the runtime's error for certificates that cannot be used. */
  check(identity: TlsIdentity, clientAuthorities: Uint8Array | null): void;
  /** Connects and shakes hands. Rejects as `Host.connect`, and with TransportError (10) for what TLS objects to. */
  connect(options: TlsConnectOptions): Promise<ByteStream>;
}

/** The system's resolver. Errors are its words. */
export interface HostLookup {
  /** The name that a numeric address leads to. */
  reverse(address: string): Promise<{ readonly name: string } | { readonly error: string }>;
  /** The addresses that a name leads to. */
  forward(name: string): Promise<{ readonly addresses: readonly string[] } | { readonly error: string }>;
}

/** Signals a program may handle. */
export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR1" | "SIGCHLD";

/** What a helper thread is given; addresses are offsets into the memory. See src/posix/jobqueue.ts. */
export interface HelperStart {
  /** What the helper does: make small files (posix/jobqueue.ts), list directories (posix/listahead.ts). */
  readonly task: "files" | "lists";
  /** The linear memory's shared buffer. */
  readonly buffer: ArrayBufferLike;
  /** Native address of the memory's first byte. */
  readonly base: number;
  readonly arch: Host["arch"];
  readonly control: number;
  readonly ring: number;
  readonly scratch: number;
}

/** What a runtime provides; each entry of runtimes/ makes one. Everything else is built on it. */
export interface Host {
  readonly runtime: "node" | "deno" | "bun" | "browser" | "memory";
  readonly runtimeVersion: string;
  readonly os: "linux" | "darwin" | "windows" | "other";
  readonly arch: "x64" | "arm64" | "other";
  readonly pid: number;
  /** Command-line words after the program name, as names (one code unit per byte). */
  readonly argv: readonly string[];
  /** How to start this same program again: interpreter and script, or the binary. */
  readonly self: readonly string[];
  env(name: string): string | undefined;
  /** The whole environment. */
  environment(): Readonly<Record<string, string>>;
  /** The working directory as a name. */
  cwd(): string;
  /** Foreign functions, or null with the reason in `ffiMissing`. */
  readonly ffi: Ffi | null;
  readonly ffiMissing: string;
  readonly files: HostFiles;
  /** The embedded kernels' bytes. */
  kernels(): Uint8Array;
  /** standard input and output as a stream, for --server. Made once. */
  stdio(): ByteStream;
  /** Writes text bytes to standard output (1) or error (2), synchronously, in order. */
  print(fd: 1 | 2, bytes: Uint8Array): void;
  isTerminal(fd: 0 | 1 | 2): boolean;
  /** Prompts on the terminal without echo; null when there is no terminal. */
  readPassword(prompt: string): Promise<string | null>;
  spawn(options: SpawnOptions): ChildProcess;
  connect(options: ConnectOptions): Promise<ByteStream>;
  /** Waiting for any descriptor without a timer; absent, or null, where the runtime cannot. */
  readWaiter?(fd: number): ReadWaiter | null;
  /**
   * Starts a thread that runs src/helper.ts over libc of its own, and does not keep the program alive. False, or
   * absent, where there can be none.
   */
  startHelper?(start: HelperStart): boolean;
  readonly lookup: HostLookup;
  /** Null where sockets have no descriptors that can be used. */
  readonly sockets: HostSockets | null;
  /** Absent where there is none. */
  readonly tls?: HostTls;
  /** Calls `handler` with the signal's number. Returns the function that stops it. */
  onSignal(signals: readonly SignalName[], handler: (signal: number) => void): () => void;
  setTitle(title: string): void;
  exit(code: number): never;
  /** Wall-clock milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds, fractional. */
  monotonic(): number;
  sleep(ms: number): Promise<void>;
  /** Calls back once after `ms` milliseconds. Returns the function that prevents it. */
  timer?(ms: number, call: () => void): () => void;
  random(bytes: Uint8Array): void;
  /** Bytes of resident memory and of the JavaScript heap, for --info=stats3; zeros when unknown. */
  memoryUsage(): { residentBytes: number; heapBytes: number };
  /** Codecs of the runtime (zstd and others), or null; see src/compress. */
  readonly zlib: unknown;
}
