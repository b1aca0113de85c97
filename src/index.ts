/**
 * The public library: wsync as a function of a Host. The command-line programs in runtimes/ are thin callers of this.
 */
export { main } from "./cli.ts";
export {
  ExitCode, exitCodeOf, FileError, InternalError, LimitError, ProtocolError, RemoteExit, TransportError, UsageError,
  WsyncError,
} from "./errors.ts";
export type {
  ByteStream, ChildProcess, ConnectOptions, Ffi, FfiFunction, FfiSignature, FfiType, Host, HostFiles, SpawnOptions,
} from "./host.ts";
