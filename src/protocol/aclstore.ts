/**
 * The ACLs of a conversation that have an index: both sides number those of a type in the order in which they first
 * travel, so that files with the same ACL name it by number. Upstream acls.c:access_acl_list, default_acl_list,
 * find_matching_rsync_acl, match_racl_ids.
 */
import { type Acl, type AclName, type AclType, EMPTY_ACL, writeAcl, writeAclIndex } from "./acl.ts";
import type { Writer } from "./cursor.ts";

/** Names of ids that go along the first time an id is met; see FlistIdNames. */
interface IdNames {
  user(id: number): string | null;
  group(id: number): string | null;
}

/** The sender's numbering. */
export class SentAcls {
  private readonly names: IdNames | null;
  private readonly inline: boolean;
  private readonly indexes: Record<AclType, Map<string, number>> = { access: new Map(), default: new Map() };
  /** Index of the ACL without parts, which most files have, so that it needs no key; -1 while it was not sent. */
  private readonly empty: Record<AclType, number> = { access: -1, default: -1 };

  /** `names`: null with --numeric-ids. `inline`: they travel with the ACL (incremental recursion). */
  constructor(names: IdNames | null, inline: boolean) {
    this.names = names;
    this.inline = inline;
  }

  /** Writes an entry's ACL, or its index if it was written before. `mode`: the entry's. */
  write(out: Writer, type: AclType, whole: Acl, mode: number): void {
    const acl = type === "access" ? condensed(whole, mode) : whole;
    const isEmpty = acl === EMPTY_ACL;
    const known = isEmpty && this.empty[type] >= 0 ? this.empty[type] : (this.indexes[type].get(keyOf(acl)) ?? -1);
    if (known >= 0) {
      writeAclIndex(out, known);
      return;
    }
    const index = this.indexes[type].size;
    this.indexes[type].set(keyOf(acl), index);
    if (isEmpty) this.empty[type] = index;
    writeAcl(out, acl.names.length === 0 || this.names === null ? acl : this.named(acl, this.names));
  }

  /** Notes the ids of an ACL for the id lists, and gives the names along where they travel inline. */
  private named(acl: Acl, ids: IdNames): Acl {
    const names = acl.names.map((entry) => {
      const name = entry.isUser ? ids.user(entry.id) : ids.group(entry.id);
      return { ...entry, name: this.inline ? name : null };
    });
    return { ...acl, names };
  }
}

/** The receiver's numbering. */
export class ReceivedAcls {
  private readonly lists: Record<AclType, Acl[]> = { access: [], default: [] };

  count(type: AclType): number {
    return this.lists[type].length;
  }

  /** Appends an ACL that arrived with an entry of this mode and returns its index. */
  add(type: AclType, acl: Acl, mode: number): number {
    return this.lists[type].push(withMask(acl, type, mode)) - 1;
  }

  /** The ACL of an index, null for none (-1). */
  get(type: AclType, index: number): Acl | null {
    return this.lists[type][index] ?? null;
  }

  /** Changes the ids of all ACLs to local ones: after a list whose names came behind it. */
  mapIds(user: (id: number) => number, group: (id: number) => number): void {
    for (const list of Object.values(this.lists)) {
      list.forEach((acl, i) => {
        if (acl.names.length > 0) list[i] = { ...acl, names: mapNames(acl.names, user, group) };
      });
    }
  }
}

/**
 * What of an access ACL has to travel: not what the mode tells. Upstream rsync_acl_strip_perms.
 */
function condensed(acl: Acl, mode: number): Acl {
  if (acl.maskObj === null && acl.names.length === 0) return EMPTY_ACL;
  const group = (mode >> 3) & 7;
  return {
    userObj: null,
    groupObj: acl.maskObj === null || acl.groupObj === group ? null : acl.groupObj,
    maskObj: acl.names.length > 0 && acl.maskObj === group ? null : acl.maskObj,
    otherObj: null,
    names: acl.names,
  };
}

/** A received ACL with the mask that its sender left out. Upstream recv_rsync_acl. */
function withMask(acl: Acl, type: AclType, mode: number): Acl {
  if (acl.names.length === 0 || acl.maskObj !== null) return acl;
  if (type === "access") return { ...acl, maskObj: (mode >> 3) & 7 };
  const union = acl.names.reduce((bits, { access }) => bits | access, acl.groupObj ?? 0);
  return { ...acl, maskObj: union & 0x7f };
}

/** The entries with local ids, in the order that a file's own have. */
function mapNames(
  names: readonly AclName[], user: (id: number) => number, group: (id: number) => number,
): readonly AclName[] {
  return sortNames(names.map((entry) => ({ ...entry, id: entry.isUser ? user(entry.id) : group(entry.id) })));
}

/** Users before groups, by id. Sorts in place. Upstream acls.c:id_access_sorter. */
export function sortNames(names: AclName[]): AclName[] {
  return names.sort((a, b) => (a.isUser === b.isUser ? a.id - b.id : a.isUser ? -1 : 1));
}

function keyOf({ userObj, groupObj, maskObj, otherObj, names }: Acl): string {
  let key = `${userObj} ${groupObj} ${maskObj} ${otherObj}`;
  for (const { isUser, id, access } of names) key += ` ${isUser ? "u" : "g"}${id}:${access}`;
  return key;
}
