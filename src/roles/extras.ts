/**
 * ACLs and extended attributes in a session: the parts that the options switch on, for either side.
 */
import { xattrDigest } from "../checksum/digest.ts";
import { AclFiles } from "../files/acls.ts";
import { Extras } from "../files/extras.ts";
import { type FileReporter } from "../files/report.ts";
import { RSYNC_PREFIX, XattrFiles } from "../files/xattrs.ts";
import { type Filters } from "../filter/mergefiles.ts";
import { type SenderIds } from "../flist/idmap.ts";
import { type ReceivedExtras } from "../flist/receiveextras.ts";
import { SentExtras } from "../flist/sendextras.ts";
import { ReceivedAcls, SentAcls } from "../protocol/aclstore.ts";
import { ReceivedXattrs, SentXattrs } from "../protocol/xattrstore.ts";
import { fileReporter } from "../session/reporter.ts";
import { type Session } from "../session/session.ts";

/** What the sending side has of them. */
export interface SendingExtras {
  /** Null without --acls and --xattrs. */
  readonly sent: SentExtras | null;
  /** Null without --xattrs. */
  readonly xattrs: { readonly files: XattrFiles; readonly sets: SentXattrs } | null;
}

/** The sending side's parts. `ids`: where names of ids that an ACL mentions are noted. */
export function sendingExtras(session: Session, filters: Filters, ids: SenderIds): SendingExtras {
  const { context, options } = session;
  const reporter = fileReporter(session, session.who);
  const acls = aclFiles(session, reporter);
  const files = xattrFiles(session, filters, reporter);
  if (acls === null && files === null) return { sent: null, xattrs: null };
  const sets = new SentXattrs(session.amRoot < 0 ? undisguised : null);
  const sent = new SentExtras({
    source: {
      acl: (fd, name, type, mode, file) => acls!.read({ fd, name }, type, mode, file.path, true),
      xattrs: (fd, name, file) => files!.read({ fd, name }, file.label),
    },
    acls: acls === null ? null : new SentAcls(options.numericIds ? null : ids, context.incRecurse),
    xattrs: files === null ? null : sets,
    preserveLinks: options.preserveLinks, preserveDevices: options.preserveDevices,
    preserveSpecials: options.preserveSpecials,
  });
  return { sent, xattrs: files === null ? null : { files, sets } };
}

/** --fake-super keeps attributes of other namespaces under its own prefix; they travel by their own names. */
function undisguised(name: string): string {
  return name.startsWith(RSYNC_PREFIX) && name[RSYNC_PREFIX.length] !== "%" ? name.slice(RSYNC_PREFIX.length) : name;
}

/** What the receiving side has of them: the peer's numbering, shared by its roles. */
export class ReceivingExtras {
  readonly acls = new ReceivedAcls();
  readonly xattrs = new ReceivedXattrs();
  private readonly session: Session;
  private readonly filters: Filters;

  constructor(session: Session, filters: Filters) {
    this.session = session;
    this.filters = filters;
  }

  /** For reading the list; null without --acls and --xattrs. */
  reception(): ReceivedExtras | null {
    const { session } = this;
    const { options } = session;
    const files = this.xattrFiles(fileReporter(session, session.who));
    if (options.preserveAcls === 0 && files === null) return null;
    return {
      acls: options.preserveAcls > 0 ? this.acls : null,
      anyAccess: session.amRoot < 0,
      xattrs: files === null ? null : this.xattrs,
      digestBytes: files?.digestBytes ?? 0,
      kept: (xattrs) => files!.received(xattrs),
    };
  }

  /** For a role that compares and sets them; null without --acls and --xattrs. */
  forRole(reporter: FileReporter): Extras | null {
    const { session, acls, xattrs } = this;
    const { options } = session;
    const parts = {
      acls: aclFiles(session, reporter), xattrs: this.xattrFiles(reporter), receivedAcls: acls, receivedXattrs: xattrs,
    };
    if (parts.acls === null && parts.xattrs === null) return null;
    return new Extras(parts, {
      preserveLinks: options.preserveLinks, preserveDevices: options.preserveDevices,
      preserveSpecials: options.preserveSpecials, dryRun: session.dryRun > 0,
    });
  }

  private xattrFiles(reporter: FileReporter): XattrFiles | null {
    return xattrFiles(this.session, this.filters, reporter);
  }
}

function aclFiles(session: Session, reporter: FileReporter): AclFiles | null {
  return session.options.preserveAcls > 0 ? new AclFiles(session.fs, session.amRoot < 0, reporter) : null;
}

function xattrFiles(session: Session, filters: Filters, reporter: FileReporter): XattrFiles | null {
  const { amRoot, amSender, context, fs, kernels, options } = session;
  if (options.preserveXattrs === 0) return null;
  const rules = { amRoot, amSender, ownToo: options.preserveXattrs > 1, filters };
  return new XattrFiles(fs, xattrDigest(kernels, context), rules, reporter);
}
