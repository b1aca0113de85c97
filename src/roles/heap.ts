/**
 * The memory figures that every role tells at --info=stats3. All roles of this process share one heap. Upstream
 * main.c:handle_stats, show_malloc_stats.
 */
import { LogCode } from "../session/log.ts";
import { heapLines } from "../output/summary.ts";
import { type Session } from "../session/session.ts";

/** Tells them for the named role, when asked. */
export function tellHeap({ host, memory, log, amServer, module }: Session, role: string): void {
  if (!log.info("STATS", 3)) return;
  const { residentBytes, heapBytes } = host.memoryUsage();
  const facts = {
    pid: host.pid, role, server: amServer, daemon: module !== null, residentBytes, heapBytes,
    usedBytes: memory.u8.length,
  };
  for (const { text, clientOnly } of heapLines(facts)) log.write(clientOnly ? LogCode.client : LogCode.info, text);
}
