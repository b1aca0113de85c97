/**
 * Authentication of a client: rules of "auth users", the secrets file, challenge and response. Upstream
 * authenticate.c: auth_server, check_secret.
 *
 * Nothing here logs or returns a password. The answer to a client is the same whatever was wrong; only the log tells.
 */
import { authResponse } from "../checksum/auth.ts";
import { type Kernels } from "../checksum/kernels.ts";
import { wildmatch } from "../filter/wildmatch.ts";
import { AUTH_DIGESTS } from "../protocol/negotiate.ts";
import { splitList } from "./tokens.ts";

/** What a rule grants: the module's own setting, or read only, or read and write, or nothing. */
export type Grant = "module" | "ro" | "rw" | "deny";

/** A rule of "auth users" that fits a user. */
export interface AuthRule {
  readonly grant: Grant;
  /** The group by which it fits, null when by name. */
  readonly group: string | null;
}

/** The first rule that fits; null when none does. `groupsOf` gives the names of a real user's groups. */
export function findRule(users: string, user: string, groupsOf: (user: string) => readonly string[]): AuthRule | null {
  let groups: readonly string[] | null = null;
  for (const item of splitList(users)) {
    const colon = item.indexOf(":");
    const name = colon < 0 ? item : item.slice(0, colon);
    const grant = colon < 0 ? "module" : grantOf(item.slice(colon + 1));
    if (!name.startsWith("@")) {
      if (wildmatch(name, user)) return { grant, group: null };
      continue;
    }
    groups ??= groupsOf(user);
    const group = groups.find((one) => wildmatch(name.slice(1), one));
    if (group !== undefined) return { grant, group };
  }
  return null;
}

/** Only the first letters count; what they do not tell is no restriction. */
function grantOf(text: string): Grant {
  const word = text.toLowerCase();
  if (word.startsWith("d")) return "deny";
  return word.startsWith("ro") ? "ro" : word.startsWith("rw") ? "rw" : "module";
}

/** Why a digest may not be used, or "": "auth digest" names the weakest one that may. */
export function digestFault(digest: string, floor: string): string {
  if (floor === "") return "";
  const rank = (name: string): number => AUTH_DIGESTS.names.indexOf(name.toLowerCase());
  const least = rank(floor);
  if (least < 0) return `the configured 'auth digest = ${floor}' is not a supported digest on this build`;
  const used = digest === "md4-old" ? "md4" : digest;
  if (rank(used) >= 0 && rank(used) <= least) return "";
  return `negotiated auth digest ${used} is weaker than the required 'auth digest = ${floor}'`;
}

/** A client's answer, and what it has to fit. */
export interface Answer {
  readonly user: string;
  readonly response: string;
  readonly challenge: string;
  readonly digest: string;
}

/**
 * Compares an answer with the secrets: the user's own line, or the line of the group whose rule fits. Returns "" or
 * what is wrong, for the log.
 */
export function checkAnswer(kernels: Kernels, secrets: string, group: string | null, answer: Answer): string {
  const { user, response, challenge, digest } = answer;
  if (user.startsWith("#")) return "invalid username";
  let fault = "secret not found";
  let [userOpen, groupOpen] = [true, group !== null];
  for (const line of secrets.split(/[\r\n]+/)) {
    const forGroup = line.startsWith("@");
    if (forGroup ? !groupOpen : !userOpen) continue;
    const name = forGroup ? `@${group}` : user;
    if (!line.startsWith(`${name}:`)) continue;
    const expected = authResponse(kernels, digest, line.slice(name.length + 1), challenge);
    if (sameText(expected, response)) return "";
    fault = "password mismatch";
    // A second line for the same name does not count.
    if (forGroup) groupOpen = false;
    else userOpen = false;
  }
  return fault;
}

/** Compares in a time that does not tell where two texts differ. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(1, b.length));
  return difference === 0;
}

/** Why a secrets file may not be used, or "". Upstream check_secret; `asRoot`: the daemon is root. */
export function secretsFault(mode: number, ownerUid: number, asRoot: boolean): string {
  if ((mode & 0o006) !== 0) return "secrets file must not be other-accessible (see strict modes option)";
  if (!asRoot || ownerUid === 0) return "";
  return "secrets file must be owned by root when running as root (see strict modes)";
}
