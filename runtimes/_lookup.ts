/** Names of addresses and addresses of names, by node:dns, which asks the system's resolver off the main thread. */
import { type HostLookup } from "../src/host.ts";

/** The part of node:dns that is used. */
interface Dns {
  lookupService(address: string, port: number, done: (error: DnsError | null, name: string) => void): void;
  lookup(name: string, o: { all: true }, done: (error: DnsError | null, found: { address: string }[]) => void): void;
}

interface DnsError extends Error {
  readonly code?: string;
}

/** The resolver's words, as gai_strerror(3) has them. */
const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: "Name or service not known", EAI_AGAIN: "Temporary failure in name resolution",
  EAI_FAIL: "Non-recoverable failure in name resolution", EAI_MEMORY: "Memory allocation failure",
};

function words(error: DnsError): { error: string } {
  return { error: WORDS[error.code ?? ""] ?? error.message };
}

/** `dns` gives the module when it is first needed. */
export function hostLookup(dns: () => unknown): HostLookup {
  return {
    reverse: (address) => new Promise((resolve) => {
      try {
        const done = (error: DnsError | null, name: string): void => resolve(error ? words(error) : { name });
        (dns() as Dns).lookupService(address, 0, done);
      } catch (error) {
        resolve(words(error as DnsError));
      }
    }),
    forward: (name) => new Promise((resolve) => {
      (dns() as Dns).lookup(name, { all: true }, (error, found) =>
        resolve(error ? words(error) : { addresses: found.map((one) => one.address) }));
    }),
  };
}
