/**
 * What a message from the other side does. Upstream io.c:read_a_msg; the tags that may come at all, and their
 * lengths, are checked in protocol/mux.
 */
import { RemoteExit } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { IoError, MessageTag } from "../protocol/constants.ts";
import { messageInt } from "../protocol/mux.ts";
import { type Session } from "./session.ts";

/** Longest timeout a server may ask for, in seconds; upstream's cap against overflow. */
const MAX_TIMEOUT = 86400;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;

/** What only some roles act on. */
export interface MessageActions {
  /** An item was deleted at the destination; `mode` tells a directory from a file. */
  deleted?(path: string, mode: number): void;
  /** The receiver has a file in place (--remove-source-files). */
  success?(ndx: number): void;
  /** The sender will not send a file. */
  noSend?(ndx: number): void;
}

/** Makes the session's input act on messages. */
export function attachMessages(session: Session, actions: MessageActions): void {
  session.input.onMessage = (tag, payload) => {
    switch (tag) {
      case MessageTag.ioError:
        session.ioError |= messageInt(payload) & IoError.validMask;
        break;
      case MessageTag.ioTimeout:
        lowerTimeout(session, messageInt(payload));
        break;
      case MessageTag.noop:
        if (session.amSender) session.output.keepAlive();
        break;
      case MessageTag.deleted:
        noteDeleted(session, actions, latin1(payload, 0, payload.length));
        break;
      case MessageTag.success:
        actions.success?.(messageInt(payload));
        break;
      case MessageTag.noSend:
        actions.noSend?.(messageInt(payload));
        break;
      case MessageTag.errorExit:
        throw remoteExit(session, payload);
      default:
        session.log.relay(tag, latin1(payload, 0, payload.length));
    }
  };
}

function noteDeleted({ charset }: Session, actions: MessageActions, name: string): void {
  const isDir = name.endsWith("\0");
  const path = isDir ? name.slice(0, -1) : name;
  actions.deleted?.(charset?.receive.lenient(path) ?? path, isDir ? S_IFDIR : S_IFREG);
}

/** A server may only make the client's timeout stricter. */
function lowerTimeout(session: Session, seconds: number): void {
  if (seconds <= 0 || seconds > MAX_TIMEOUT) return;
  if (session.ioTimeout > 0 && session.ioTimeout <= seconds) return;
  if (session.log.info("MISC", 2)) session.log.infoLine(`Setting --timeout=${seconds} to match server\n`);
  session.ioTimeout = seconds;
  session.timeoutLowered();
}

/** The other side ends the run, having said why; it waits for our acknowledgement. */
function remoteExit(session: Session, payload: Uint8Array): RemoteExit {
  const trace = (text: string): void => {
    if (session.log.debug("EXIT", 3)) session.log.infoLine(`[${session.who}] ${text}\n`);
  };
  trace(`got MSG_ERROR_EXIT with ${payload.length} bytes`);
  if (payload.length === 4 && session.context.version >= 31) {
    trace(`sending MSG_ERROR_EXIT ${session.amSender ? "(len 0)" : `with exit_code ${messageInt(payload)}`}`);
    session.output.message(MessageTag.errorExit, session.amSender ? new Uint8Array(0) : payload.slice());
    session.output.flush();
  }
  return new RemoteExit(payload.length === 4 ? messageInt(payload) : 0);
}

/** A daemon tells its client how long it waits. Upstream main.c:start_server. */
export function tellTimeout({ module, ioTimeout, context, output }: Session): void {
  if (module === null || ioTimeout === 0 || context.version < 31) return;
  output.messageInt(MessageTag.ioTimeout, ioTimeout);
}
