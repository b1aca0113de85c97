/** Assertions and bookkeeping of the conformance suite, plain enough to run in every runtime. */

/** The outcome of one case. */
export interface Outcome {
  readonly name: string;
  readonly result: "passed" | "failed" | "skipped";
  readonly detail: string;
}

/** Throws unless both are equal as JSON. */
export function equal(actual: unknown, expected: unknown, what = "value"): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a} is not ${b}`);
}

/** Throws unless the condition holds. */
export function ok(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** The error that a promise rejects with; throws when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { exitCode?: number }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected a rejection");
}

export type Case = () => void | Promise<void>;

/** Runs the cases in order; `skips` gives reasons by name. */
export async function runCases(
  cases: Readonly<Record<string, Case>>, skips: Readonly<Record<string, string>>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [name, run] of Object.entries(cases)) {
    if (skips[name] !== undefined) {
      outcomes.push({ name, result: "skipped", detail: skips[name] });
      continue;
    }
    try {
      await run();
      outcomes.push({ name, result: "passed", detail: "" });
    } catch (error) {
      outcomes.push({ name, result: "failed", detail: (error as Error).stack ?? String(error) });
    }
  }
  return outcomes;
}
