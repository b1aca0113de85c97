/** The helper thread on Deno: runtimes/build.mjs makes a text of it, which _denohost.ts starts. */
import { serveTask } from "../src/helper.ts";
import { type HelperStart } from "../src/host.ts";
import { denoFfi } from "./_denoffi.ts";

declare const self: {
  addEventListener(name: "message", listener: (event: { data: HelperStart }) => void): void;
  close(): void;
};

self.addEventListener("message", ({ data }) => {
  serveTask(denoFfi, data);
  self.close();
});
