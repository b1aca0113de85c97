/** Authentication: rules, secrets, the weakest digest. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { authResponse } from "../../../src/checksum/auth.ts";
import { loadKernels } from "../../../src/checksum/kernels.ts";
import { checkAnswer, digestFault, findRule, secretsFault } from "../../../src/daemon/auth.ts";
import { splitList } from "../../../src/daemon/tokens.ts";

const kernels = loadKernels(readFileSync(new URL("../../../build/wsync.wasm", import.meta.url)));
const GROUPS: Record<string, string[]> = { joe: ["guest"], admin: ["wheel"], ann: ["rsync", "my group"] };

describe("auth users", () => {
  const users = "joe:deny @guest:deny admin:rw @rs*:RO susan sam* x:bogus";
  it.each([
    ["joe", "deny", null], ["admin", "rw", null], ["ann", "ro", "rsync"], ["susan", "module", null],
    ["sammy", "module", null], ["x", "module", null],
  ])("%s: %s", (user, grant, group) => {
    expect(findRule(users, user, (name) => GROUPS[name] ?? [])).toEqual({ grant, group });
  });
  it("lets in nobody whom no rule fits", () => {
    expect(findRule(users, "eve", () => [])).toBeNull();
    expect(findRule("", "eve", () => [])).toBeNull();
  });
  it("splits at commas alone when it begins with one", () => {
    expect(splitList(" , joe:deny, @my group:ro ,,x")).toEqual(["joe:deny", "@my group:ro", "x"]);
    expect(splitList("a, b\tc")).toEqual(["a", "b", "c"]);
    expect(findRule(", @my group:ro", "ann", (name) => GROUPS[name])).toEqual({ grant: "ro", group: "my group" });
  });
});

describe("secrets", () => {
  const secrets = "# joe:comment\n\njoe:first\njoe:second\n@rsync:shared\nann:own:with colon\r\n";
  const check = (user: string, password: string, group: string | null = null): string => {
    const challenge = "chal/lenge+1";
    const response = authResponse(kernels, "sha256", password, challenge);
    return checkAnswer(kernels, secrets, group, { user, response, challenge, digest: "sha256" });
  };
  it("fit the user's first line, or the line of the group whose rule fits", () => {
    expect(check("joe", "first")).toBe("");
    expect(check("joe", "second")).toBe("password mismatch");
    expect(check("ann", "own:with colon")).toBe("");
    expect(check("ann", "shared", "rsync")).toBe("");
    expect(check("ann", "shared")).toBe("password mismatch");
    expect(check("ann", "own:with colon", "rsync")).toBe("");
    expect(check("eve", "first")).toBe("secret not found");
    expect(check("# joe", "comment")).toBe("invalid username");
  });
  it("must not be open to others, nor another's when the daemon is root", () => {
    expect([secretsFault(0o100600, 0, true), secretsFault(0o100640, 5, false)]).toEqual(["", ""]);
    expect(secretsFault(0o100604, 0, true)).toContain("other-accessible");
    expect(secretsFault(0o100602, 0, false)).toContain("other-accessible");
    expect(secretsFault(0o100600, 5, true)).toContain("owned by root");
  });
});

it("auth digest is the weakest that may be used", () => {
  expect(digestFault("sha512", "sha256")).toBe("");
  expect(digestFault("sha256", "sha256")).toBe("");
  expect(digestFault("md5", "sha256")).toContain("md5 is weaker than the required 'auth digest = sha256'");
  expect(digestFault("md4-old", "md4")).toBe("");
  expect(digestFault("md4-old", "md5")).toContain("weaker");
  expect(digestFault("md5", "")).toBe("");
  expect(digestFault("sha512", "sha3")).toContain("not a supported digest");
});
