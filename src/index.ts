/**
 * The library but for the functions that need a runtime, which runtimes/library.*.ts and runtimes/browser.ts add.
 */
export { main } from "./cli.ts";
export {
  ExitCode, exitCodeOf, FileError, InternalError, LimitError, PartialError, ProtocolError, RemoteExit, TransportError,
  UsageError, WsyncError,
} from "./errors.ts";
export type {
  ByteStream, ChildProcess, ConnectOptions, Ffi, FfiFunction, FfiSignature, FfiType, Host, HostFiles, SpawnOptions,
} from "./host.ts";
export type {
  DeltaFunction, PatchFunction, ServeFunction, SignatureFunction, SyncFunction, WatchFunction,
} from "./library/api.ts";
export type { DeltaOptions, DeltaRange, DeltaStats } from "./library/delta.ts";
export type { Duplex } from "./library/duplex.ts";
export { MemoryFiles, TarFiles } from "./library/files.ts";
export type { Entry, Files, FilesPlace, SyncAccess, WriteOptions } from "./library/files.ts";
export type { Argument, Switch, TransferOptions } from "./library/options.ts";
export type { PatchOptions } from "./library/patch.ts";
export type { ModuleParameters, ModuleUser, ServedModule, ServedModules } from "./library/servedmodules.ts";
export type { ServeEvent, ServeOptions, Serving } from "./library/serve.ts";
export type { SignatureOptions } from "./library/signature.ts";
export { collect } from "./library/sources.ts";
export type { Basis, ByteSource, RandomAccess } from "./library/sources.ts";
export type { ConnectRequest, Source, Surroundings, Target } from "./library/station.ts";
export type { WorkOptions } from "./library/streams.ts";
export type { SyncEvent, SyncOptions, SyncResult, SyncSettings } from "./library/sync.ts";
export type { WatchOptions, WatchSettings, Watching } from "./library/watch.ts";
export type {
  DeleteEvent, ErrorEvent, FileEvent, ItemAction, ItemKind, ItemReason, ListEvent, MessageEvent, ModuleEvent,
  ProgressEvent, RunEvent, StartEvent, SummaryEvent,
} from "./output/events.ts";
export type {
  AuditEvent, GuardEvent, LostEvent, RetryEvent, RoundEvent, StatusEvent, TargetStatus, WarningEvent, WatchEndEvent,
  WatchEvent, WatchStartEvent,
} from "./watch/events.ts";
