/** The lines of --explain. */
import { type ExplainEvent } from "./events.ts";

/** The path with what would become of it, then the reasons. */
export function explanationLines({ path, verdict, reasons }: ExplainEvent): string[] {
  return [`${path}: ${verdict}\n`, ...reasons.map((reason) => `  ${reason}\n`)];
}
