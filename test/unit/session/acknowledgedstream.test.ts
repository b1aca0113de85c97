import { expect, test } from "vitest";
import type { ByteStream } from "../../../src/host.ts";
import { AcknowledgedStream } from "../../../src/session/acknowledgedstream.ts";

test("what arrives is acknowledged as it is read, at first", async () => {
  const told: string[] = [];
  let left = 40;
  const inner: ByteStream = {
    read: () => {
      told.push("read");
      return Promise.resolve(left-- > 0 ? Uint8Array.of(left) : null);
    },
    write: () => undefined,
    end: () => Promise.resolve(),
    destroy: () => told.push("destroyed"),
  };
  const stream = new AcknowledgedStream(inner, () => void told.push("answer"));
  expect(told.splice(0)).toEqual(["answer"]);
  expect(await stream.read()).toEqual(Uint8Array.of(39));
  expect(told.splice(0)).toEqual(["read", "answer"]);
  while ((await stream.read()) !== null);
  expect(told.filter((one) => one === "read").length).toBe(40);
  expect(told.filter((one) => one === "answer").length).toBe(31);
  stream.destroy();
  expect(told.at(-1)).toBe("destroyed");
});
