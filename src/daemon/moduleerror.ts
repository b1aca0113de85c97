/** What ends a connection before its transfer begins. */
import { ExitCode, WsyncError } from "../errors.ts";

/** Ends a connection: `message` is for the log, `answer` for the client. */
export class ModuleError extends WsyncError {
  readonly answer: string;
  constructor(answer: string, message: string, exitCode: number = ExitCode.startClient) {
    super(message, exitCode);
    this.answer = answer;
  }
}
