/**
 * User and group ids across systems (upstream uidlist.c).
 *
 * The sender notes each id once and gives its name along; the receiver maps an id to the local id of the same name,
 * to a --usermap/--groupmap choice, or to the number itself. Id 0 is never mapped by name.
 */
import { UsageError } from "../errors.ts";
import type { FileSystem } from "../posix/filesystem.ts";
import { wildmatch } from "../filter/wildmatch.ts";
import { FileFlag } from "../protocol/constants.ts";
import type { IdName } from "../protocol/idlist.ts";

/** The four look-ups of the user and group databases. */
export type IdDatabase = Pick<FileSystem, "userName" | "groupName" | "userId" | "groupId">;

/** A database without names. */
export const NAMELESS: IdDatabase = {
  userName: () => null, groupName: () => null, userId: () => -1, groupId: () => -1,
};

/** Ids that a sender has met, for names sent inline or in lists behind the file list. */
export class SenderIds {
  private readonly fs: IdDatabase;
  private readonly userIds = new Map<number, string>();
  private readonly groupIds = new Map<number, string>();

  constructor(fs: IdDatabase) {
    this.fs = fs;
  }

  /** The user's name the first time this id is met (uidlist.c:add_uid), else null. */
  user(id: number): string | null {
    if (this.userIds.has(id)) return null;
    const name = this.fs.userName(id);
    this.userIds.set(id, name ?? "");
    return name;
  }

  /** The group's name the first time this id is met. */
  group(id: number): string | null {
    if (this.groupIds.has(id)) return null;
    const name = this.fs.groupName(id);
    this.groupIds.set(id, name ?? "");
    return name;
  }

  /** Pairs for the user list, newest first as rsync sends them. */
  users(): IdName[] {
    return pairsOf(this.userIds);
  }

  groups(): IdName[] {
    return pairsOf(this.groupIds);
  }

  /** Names of user 0 and group 0, "" when unknown. */
  rootNames(): { user: string; group: string } {
    return { user: this.fs.userName(0) ?? "", group: this.fs.groupName(0) ?? "" };
  }
}

function pairsOf(ids: Map<number, string>): IdName[] {
  return [...ids].map(([id, name]) => ({ id, name })).reverse();
}

/** One FROM:TO item of --usermap or --groupmap. */
export interface MapRule {
  readonly kind: "id" | "name" | "wild";
  readonly least: number;
  readonly most: number;
  readonly name: string;
  readonly to: number;
}

/** How a receiver treats ids. */
export interface ReceiverIdOptions {
  /** Running as root, or pretending to (--super, fake-super). */
  readonly amRoot: boolean;
  readonly numericIds: boolean;
  /** Names come along and count for nothing: a daemon's "numeric ids". */
  readonly ignoreNames?: boolean;
  readonly usermap: string | null;
  readonly groupmap: string | null;
  readonly id0Names: boolean;
  /** Effective group and supplementary groups: what a non-root receiver may set. */
  readonly ownGroups: readonly number[];
  /** Reports a name that a map mentions and this system lacks. */
  readonly unknownName?: (option: string, name: string) => void;
  /** Told what a user ("u") or group ("g") becomes, for --debug=own2; absent when nobody asks. */
  readonly mapped?: (kind: "u" | "g", id: number, name: string, to: number) => void;
}

/** Maps received ids to local ones, each id once. */
export class ReceiverIds {
  private readonly fs: IdDatabase;
  private readonly o: ReceiverIdOptions;
  private readonly userMap: MapRule[];
  private readonly groupMap: MapRule[];
  private readonly users = new Map<number, number>();
  private readonly groups = new Map<number, number>();

  constructor(fs: IdDatabase, o: ReceiverIdOptions) {
    this.fs = fs;
    this.o = o;
    this.userMap = o.usermap === null ? [] : this.parse(o.usermap, true);
    this.groupMap = o.groupmap === null ? [] : this.parse(o.groupmap, false);
    if (o.id0Names) return;
    const root = o.numericIds ? null : "root";
    if (o.usermap !== null) this.addUser(0, root);
    if (o.groupmap !== null) this.addGroup(0, root);
  }

  /** True when user ids of rows go through `matchUser` (uidlist.c:recv_id_list). */
  get mapsUsers(): boolean {
    return this.o.amRoot && (!this.o.numericIds || this.o.usermap !== null);
  }

  /** True when group ids of rows go through `matchGroup`. */
  get mapsGroups(): boolean {
    return !this.o.amRoot || !this.o.numericIds || this.o.groupmap !== null;
  }

  /** True when the ids of ACLs are mapped after a whole list (uidlist.c:recv_id_list). */
  get mapsAcls(): boolean {
    return !this.o.numericIds || this.o.usermap !== null || this.o.groupmap !== null;
  }

  /** True when a group of an ACL that came without a name is mapped at once (acls.c:recv_ida_entries). */
  get mapsAclGroups(): boolean {
    return !this.o.amRoot || !this.o.numericIds;
  }

  /** Notes a user id with the sender's name for it (null or "": none) and returns the local id. */
  addUser(id: number, name: string | null): number {
    const to = this.choose(this.userMap, id, this.nameOf(name), (n) => this.fs.userId(n));
    this.users.set(id, to);
    this.o.mapped?.("u", id, name ?? "", to);
    return to;
  }

  /** Notes a group id likewise. */
  addGroup(id: number, name: string | null): number {
    const to = this.choose(this.groupMap, id, this.nameOf(name), (n) => this.fs.groupId(n));
    this.groups.set(id, to);
    this.o.mapped?.("g", id, name ?? "", to);
    return to;
  }

  /** The local id for a user id (uidlist.c:match_uid). */
  matchUser(id: number): number {
    return this.users.get(id) ?? this.addUser(id, null);
  }

  /** The local id for a group id (uidlist.c:match_gid). */
  matchGroup(id: number): number {
    return this.groups.get(id) ?? this.addGroup(id, null);
  }

  /** FileFlag.skipGroup when this receiver could not set the local group `to`, else 0. */
  groupFlags(to: number): number {
    return this.o.amRoot || this.o.ownGroups.includes(to) ? 0 : FileFlag.skipGroup;
  }

  private nameOf(name: string | null): string {
    return this.o.ignoreNames ? "" : (name ?? "");
  }

  private choose(map: readonly MapRule[], id: number, name: string, look: (name: string) => number): number {
    for (const rule of map) if (ruleMatches(rule, id, name)) return rule.to;
    if (name === "" || id === 0) return id;
    const to = look(name);
    return to < 0 ? id : to;
  }

  /** Parses FROM:TO,... (uidlist.c:parse_name_map). Throws UsageError for a malformed item. */
  private parse(map: string, users: boolean): MapRule[] {
    const option = users ? "--usermap" : "--groupmap";
    const rules: MapRule[] = [];
    for (const item of map.split(",")) {
      const colon = item.indexOf(":");
      if (colon < 0) throw new UsageError(`No colon found in ${option}: ${item}`);
      const target = item.slice(colon + 1);
      if (target === "") throw new UsageError(`No name found after colon ${option}: ${item}`);
      const to = /^[0-9]+$/.test(target) ? parseId(target) : users ? this.fs.userId(target) : this.fs.groupId(target);
      if (to < 0) this.o.unknownName?.(option, target);
      else rules.push(parseMapSource(item.slice(0, colon), option, item, to));
    }
    return rules;
  }
}

function parseMapSource(from: string, option: string, item: string, to: number): MapRule {
  if (/^[0-9]/.test(from)) {
    const range = /^([0-9]+)(?:-([0-9]+))?$/.exec(from);
    if (range === null) throw new UsageError(`Invalid number in ${option}: ${item}`);
    const least = parseId(range[1]);
    // As upstream: an upper bound of 0 is no bound, so the item means the one id.
    const most = range[2] === undefined ? least : parseId(range[2]) || least;
    return { kind: "id", least, most, name: "", to };
  }
  return { kind: /[*[?]/.test(from) ? "wild" : "name", least: 0, most: 0, name: from, to };
}

function parseId(text: string): number {
  const id = Number(text);
  if (id > 0xffffffff) throw new UsageError(`Invalid ID number: ${text}`);
  return id;
}

function ruleMatches(rule: MapRule, id: number, name: string): boolean {
  if (rule.kind === "id") return id >= rule.least && id <= rule.most;
  return rule.kind === "name" ? rule.name === name : wildmatch(rule.name, name);
}
