/** Sockets by descriptor on Deno, by libc: Deno's own connections do not show theirs. */
import { type DescriptorStream, type HostSockets } from "../src/host.ts";
import { type DenoCalls } from "./_denoffi.ts";
import { FdStream } from "./_fdstream.ts";
import { Ready } from "./_epoll.ts";

const SOCK_FLAGS = 0o2004000;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;

/** See DescriptorStream. */
class FdSocket extends FdStream implements DescriptorStream {
  readonly fd: number;

  constructor(calls: DenoCalls, fd: number) {
    super(calls, fd, fd);
    this.fd = fd;
    calls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, Int32Array.of(1), 4);
  }
}

export function denoSockets(calls: DenoCalls): HostSockets {
  return {
    adopt: (fd) => new FdSocket(calls, fd),
    accept(fd, handler) {
      let open = true;
      void acceptAll(calls, fd, () => open, handler);
      return () => {
        open = false;
        calls.poller.forget(fd);
        calls.close(fd);
      };
    },
  };
}

async function acceptAll(
  calls: DenoCalls, fd: number, open: () => boolean, handler: (connection: DescriptorStream) => void,
): Promise<void> {
  while (open()) {
    await calls.poller.wait(fd, Ready.read);
    if (!open()) return;
    const accepted = calls.accept4(fd, 0, 0, SOCK_FLAGS);
    if (accepted >= 0) handler(new FdSocket(calls, accepted));
    else if (calls.errno() === EMFILE) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** No descriptors left: the connection waits, and looking again at once would not help. */
const EMFILE = 24;
const PAUSE_MS = 100;
