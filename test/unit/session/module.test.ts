import { describe, expect, it } from "vitest";
import { clientPath, insideModule, type ModuleScope, moduleName } from "../../../src/session/module.ts";

const module = { dir: "/srv/data", confined: true } as ModuleScope;
const jailed = { dir: "", confined: false } as ModuleScope;

describe("paths of a module", () => {
  it.each([
    ["/srv/data", "."], ["/srv/data/", "."], ["/srv/data/a/b", "a/b"], ["a", "a"], ["/srv/database", "srv/database"],
  ])("%s inside is %s", (path, inside) => expect(insideModule(module, path)).toBe(inside));

  it("has names from the module on", () => {
    expect(moduleName(module, "/srv/data")).toBe("");
    expect(moduleName(jailed, "/a/b")).toBe("a/b");
  });

  it.each([
    ["/srv/data", "../x", "x"], ["/srv/data/a", "../x", "../x"], ["/srv/data/a", "../../x", "../x"],
    ["/srv/data/a/b", "../../x", "../../x"], ["/srv/data", "/x", "/srv/data/x"], ["/srv/data", "/../x", "/srv/data/x"],
    ["/srv/data", "a/../../x", "x"],
  ])("keeps an option's path: in %s, %s is %s", (directory, path, kept) => {
    expect(clientPath(module, directory, path)).toBe(kept);
  });

  it("leaves paths alone where the root directory is the module's, and without a module", () => {
    expect(clientPath(jailed, "/", "../x")).toBe("../x");
    expect(clientPath(null, "/", "../x")).toBe("../x");
  });
});
