/** What the page's workers share: requests come in, each is one piece of work that may be called off. */
import { type Answer, type Request, type Task } from "./messages.ts";

/** The part of a worker's global scope that is used. */
interface Scope {
  postMessage(message: Answer, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Request>) => void): void;
}

const scope = globalThis as unknown as Scope;

/** Tells the page. */
export function send(answer: Answer): void {
  scope.postMessage(answer, []);
}

/** Does every task that the page asks for; what `work` throws is told. */
export function serveTasks(work: (id: number, task: Task, signal: AbortSignal) => Promise<void>): void {
  const running = new Map<number, AbortController>();
  scope.addEventListener("message", ({ data }) => {
    if ("abort" in data) {
      running.get(data.id)?.abort();
      return;
    }
    const { id, task } = data;
    const controller = new AbortController();
    running.set(id, controller);
    void work(id, task, controller.signal).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      send({ id, error: text, aborted: controller.signal.aborted });
    }).finally(() => running.delete(id));
  });
}
