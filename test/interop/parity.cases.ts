/** Data of the parity test: arguments to try with each option, and command lines written out. */

/** Arguments for the options that take one, by long name; the first of each is good. BATCH is a file to make. */
export const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  "info": ["name2,del", "all", "none", "progress2", "NAME1", "name0", "nope", "", "name99", "flist2,,stats"],
  "debug": ["filter2", "all4", "none", "FLIST", "deltasum3", "nope", "io,send1", "all0"],
  "stderr": ["e", "all", "client", "c", "x", "", "errors", "errorss"],
  "out-format": ["%n", "%i %n%L", "%o", "%5i", "%'i", "%b", "%C", "", "%I", "%%i"],
  "outbuf": ["N", "line", "b", "x", "", "u", "f"],
  "files-from": ["host:list", ":list", "-", "host:-", "other:list", "/no/such/list", "rsync://host/x"],
  "max-size": ["1", "1k", "1.5K", "2KiB", "3MB", "1K+1", "1K-1", "0", "x", "", "-1", "1kk", "9999999999p", "8g", "1e3",
    ".5k", "5.", "+1", "10b", "0.1b", "1T-1"],
  "min-size": ["0", "1.5m", "7", "x", "1b"],
  "modify-window": ["0", "1", "-1", "0x10", "x", "", "-5", "99999999999", "010", " 1", "1 "],
  "compare-dest": ["/x", "../y", ""],
  "copy-dest": ["/x"],
  "link-dest": ["/x", "a b"],
  "chmod": ["u+x", "ugo=rwX", "D755,F644", "x", "", "u+q", "a=rwxst", "u+x,", "7777", "888", "go-w,+X", "Dg+s"],
  "usermap": ["*:root", "0-9:5", "a b:c", ""],
  "groupmap": ["*:root", ":5"],
  "chown": ["root:root", "root", ":root", ":", "", "a:b:c"],
  "confine-root": ["/", "rel", "/tmp"],
  "block-size": ["700", "1k", "131072", "131073", "0", "x", "-1", "1.5k", "64K", "0x10"],
  "checksum-choice": ["md5", "xxh128", "md4,md5", "none", "auto", "AUTO", "MD5", "xxhash", "nope", "md5,nope", "sha1",
    "none,md5", "auto,md5", "xxh3,auto", "", ",", "md5,"],
  "checksum-seed": ["1", "0", "-1", "x", "32761", "2147483647", "2147483648"],
  "backup-dir": ["old", "./old", ".", "", "/abs/x", "old/", "a b", "../o"],
  "suffix": [".bak", "", "~", "a/b"],
  "partial-dir": [".p", "/abs", ".", "", "a//b/", "x/../y", "./.q"],
  "temp-dir": ["/tmp", "", "t", "a b"],
  "max-delete": ["5", "0", "-1", "x", "-9", "2147483647"],
  "filter": ["- x", "+ y", "x", "- ", "!", "P a", "dir-merge .f", ".nofile", ":C", "-! a", "-s_x", "-q x", "H,! x"],
  "exclude": ["x", "", "- x", "*/", "!"],
  "include": ["x", "+ y", ""],
  "exclude-from": ["/dev/null", "/no/such"],
  "include-from": ["/dev/null", "/no/such"],
  "compress-choice": ["zlib", "zlibx", "zstd", "lz4", "none", "auto", "nope", "ZSTD", "", "Auto"],
  "compress-level": ["1", "0", "9", "-5", "99", "x", "22", "-131073"],
  "compress-threads": ["1", "0", "-3", "x"],
  "skip-compress": ["gz/jpg", "", "mp[34]", "*"],
  "bwlimit": ["100", "0", "1", "1.5m", "100b", "511b", "512b", "x", "1g", "-1", "1023b", "1535b", "1536b"],
  "rsync-path": ["/opt/rsync", "nice rsync", "", "sudo rsync --x"],
  "remote-option": ["--x", "-v", "x", "--a b", "-", "--opt=*", "--log-file=/tmp/~"],
  "port": ["9000", "x", "0", "99999", "-1"],
  "address": ["127.0.0.1"],
  "sockopts": ["TCP_NODELAY"],
  "password-file": ["/no/such"],
  "early-input": ["/no/such"],
  "timeout": ["30", "0", "-1", "x", "1.5", "1e3"],
  "contimeout": ["5", "0", "x"],
  "protocol": ["29", "27", "28", "30", "31", "32", "26", "33", "0", "x", "-1", "20", "19", "40", "41"],
  "iconv": ["utf8,latin1", ".", "-", "utf8", "latin1,utf8", "", ",", "utf8,", "utf8,nope"],
  "write-batch": ["BATCH"],
  "only-write-batch": ["BATCH"],
  "read-batch": ["/no/such/batch"],
  "max-alloc": ["2m", "1g", "1m", "1023k", "x", "1048576", "1048575", "9e", "16p", "1073741824", "1048576.5"],
  "stop-after": ["1", "0", "-1", "x", "1.5", "99999999999999999999", "10m", ""],
  "stop-at": ["2099-01-01", "2001-01-01", "x", "23:59", ":30", "2099/1/1T00:00", "99-12-31t23:59", "T", "2099-13-01",
    "12-31", "31", "2099-02-30", "T12:00", "24:00", "1:60", "2099-01-01T"],
};

/**
 * Options left out: what they print is our own text, they start a daemon, they write a log, or they say how the test
 * itself reaches the other end.
 */
export const LEFT_OUT: ReadonlySet<string> = new Set([
  "version", "help", "server", "sender", "daemon", "config", "dparam", "detach", "log-file", "log-file-format", "rsh",
  "copy-as",
]);

/** Options beside others: bundles, popt's ways, order, conflicts, what one implies. Both a push and a pull each. */
export const COMBINATIONS: readonly string[] = [
  // Bundles and spellings.
  "", "-avz", "-avzP", "-rlptgoD", "-rlptgoDvvvv", "-aHAX", "-aHAXx", "-aHAXxxSW", "-vvvvvv", "-qqq", "-aqv", "-aP",
  "-aPv", "-avn", "-aB700", "-aB=700", "-aB 700", "-avB", "-a@2", "-a@-1", "-a@ 3", "-a@=4", "-avf-_x", "-avf- x",
  "-avf'- x'", "-aFF", "-aFFF", "-F -F", "-a0", "-aM--x", "-aM=--x", "-aM --x", "-aT/tmp", "-aT=/tmp", "-aT /tmp",
  "-a -M--x -M-y --remote-option=--z", "-Mx", "-a4", "-a6", "-a46", "-aZ", "-a-", "-", "-a --", "--archive=1",
  "--arch", "--verb", "--delete=x", "--no-archive", "--no-a", "--no-update", "--no-u", "--no-n", "--no-z", "--no-D",
  "--no-devices -D", "-D --no-devices", "-D --no-specials", "--specials --no-D", "-aD --no-D", "--no-D -a",
  "--ipv4=1", "--NO-perms", "--Archive", "-a=1", "-v=", "--verbose=", "--block-size", "--exclude", "--max-size", "-f",
  "-T", "--block-size=", "--block-size ''", "--suffix ''", "--suffix=", "-B", "-@", "--modify-window",
  // Levels and counts.
  "-v --no-v", "-vv --no-verbose -v", "-i --no-i", "-ii", "-iii", "--no-i -i", "-h", "-hh", "-hhh", "-h --no-h", "-x",
  "-xx", "-xxx", "-xx --no-x", "-U", "-UU", "-UUU", "-UU --no-U", "-U --no-open-noatime", "-UU --no-open-noatime",
  "-H", "-HH", "-HHH", "-H --no-H", "-X", "-XX", "-XX --no-xattrs", "-A --no-A", "-A --no-perms", "-y", "-yy",
  "-yyy --link-dest=/x", "-yy --compare-dest=/x --compare-dest=/y", "-y --no-y", "-z --no-z", "-zz", "-zzz",
  "-zz --no-compress", "-zz --compress-choice=zlib", "-z --old-compress", "-z --new-compress", "--new-compress",
  "--old-compress --no-compress", "-z --zc=none", "--zc=zstd --zl=3", "--zl=9", "--zl=0", "-z --zl=0",
  "--zl=9 --no-z", "-z --compress-threads=2", "--compress-threads=2", "-z --skip-compress=gz", "--skip-compress=gz",
  "-q -v", "-vq", "-qi", "-q --progress", "--progress --no-progress", "-P --no-progress", "-P --no-partial",
  "--no-progress -P", "-a --stats", "-avv --stats", "--stats --info=stats0", "--info=stats3 --stats",
  // Recursion and directories.
  "-r --no-r", "--no-r -a", "-a --no-r", "-a --no-recursive -r", "-r --no-recursive", "-d", "-d --no-d", "-a -d",
  "-r -d", "-d -r --no-r", "--no-d", "--no-dirs -a", "--old-dirs", "--old-d -r", "--old-dirs -d", "-d --old-dirs",
  "--old-dirs --no-dirs", "-ad --no-r", "--list-only", "-a --list-only", "-d --list-only", "--list-only --delete",
  "-r --list-only --delete", "-R", "-R --no-R", "-R --no-implied-dirs", "-R --no-i-d", "-R --no-i-d --i-d",
  "--no-implied-dirs", "-aR --protocol=29 --no-implied-dirs", "-a --no-i-r", "-a --no-i-r --i-r",
  "-a --inc-recursive --no-inc-recursive", "-a --qsort", "-am", "-am --no-m", "-a --no-prune-empty-dirs",
  "-a --files-from=:list", "--files-from=:list -r", "--files-from=:list --no-R", "--files-from=:list -d",
  "--files-from=:list --no-d", "--files-from=:list -0", "--files-from=:list --from0 --no-from0", "--files-from=- -0",
  "--files-from=:list --no-relative -a", "--from0", "-a --files-from=host:list --protocol=28",
  // Deleting.
  "--delete", "-r --delete", "-d --delete", "-r --del", "-r --delete --del", "-r --delete-before --delete",
  "-r --delete-during --delete-delay", "-r --delete-delay --delete-during", "-r --delete-before --delete-after",
  "-r --del --delete-after", "-r --delete-excluded", "-r --delete-excluded --delete-after",
  "-r --delete-excluded --delete", "--delete-excluded", "--delete-after", "--del", "--delete-delay",
  "-d --delete-missing-args", "--delete-missing-args", "--ignore-missing-args",
  "--ignore-missing-args --delete-missing-args", "-r --delete --max-delete=0", "-r --delete --max-delete=-5",
  "-r --max-delete=3", "-r --delete --force", "-r --delete --force --no-force", "-r --delete --ignore-errors",
  "-r --ignore-errors --no-ignore-errors", "-ar --remove-source-files", "-a --remove-sent-files",
  "-a --remove-sent-files --remove-source-files", "-a --remove-source-files --remove-sent-files", "-ab --delete",
  "-ab --delete --delete-excluded", "-ab --delete --backup-dir=x", "-an --delete", "-r --delete --existing",
  "-r --delete --ignore-existing", "-r --existing --ignore-existing",
  // Backups, partial files, in place.
  "-ab", "-ab --no-backup", "-a --suffix=.x", "-a --backup-dir=x", "-a --backup-dir=x --no-backup",
  "-a --backup-dir=x --suffix=", "-a --backup-dir=x --suffix=.y", "-ab --suffix=", "-a --suffix=",
  "-ab --backup-dir=.", "-a --backup-dir=. --suffix=", "-abO", "-abO --no-O", "-ab --omit-dir-times", "-a --partial",
  "-a --no-partial", "-a --partial-dir=.p", "-a --partial-dir=.p --no-partial", "-a --no-partial --partial-dir=.p",
  "-a --partial-dir=.", "-a --partial-dir=", "-a --delay-updates", "-a --delay-updates --partial-dir=.p",
  "-a --delay-updates --no-delay-updates", "-a --delay-updates --partial", "-a --delay-updates --no-partial",
  "-a --inplace", "-a --inplace --partial-dir=.p", "-a --inplace --partial", "-a --inplace --delay-updates",
  "-a --inplace --no-inplace", "-a --inplace -S", "-a --inplace -S --no-W", "-a --inplace -S -W", "-aS --no-W",
  "-aS --no-S", "-a --append", "-a --append --append", "-a --append-verify", "-a --append --append-verify",
  "-a --append-verify --append", "-a --append --no-append", "-a --append -W", "-a --append --no-W",
  "-a --append-verify -W", "-a --append --partial-dir=.p", "-a --append --delay-updates", "-a --append --inplace",
  "-a --append -S", "-a --write-devices", "-a --write-devices -S", "-a --write-devices --partial-dir=.p",
  "-a --write-devices --no-write-devices", "-a --copy-devices", "-a --preallocate", "-a --preallocate --inplace",
  "-a --preallocate -S", "-W --no-W", "--no-W -W", "-a --mkpath", "-a --mkpath --no-mkpath", "-a --fsync",
  "-a --temp-dir=/tmp --inplace", "-a --link-dest=/x --copy-dest=/y", "-a --copy-dest=/y --compare-dest=/x",
  "-a --link-dest=/x --link-dest=/y --link-dest=z", "-a --compare-dest=/x --link-dest=/y",
  "-a --checksum-choice=none", "-a --cc=none --no-W", "-a --cc=none --append", "-a --cc=md5 -c", "-a --no-c -c",
  "-a -c --no-checksum",
  // Owners and attributes.
  "-a --usermap=1:2", "-a --usermap=1:2 --usermap=3:4", "-a --groupmap=1:2 --groupmap=3:4", "-a --chown=a:b",
  "-a --chown=a --usermap=1:2", "-a --usermap=1:2 --chown=a", "-a --usermap=1:2 --chown=:b",
  "-a --groupmap=1:2 --chown=:b", "-a --chown=:b --groupmap=1:2", "-a --chown=a --chown=b", "-a --chown=a --chown=:b",
  "-a --chown=:a --chown=:b", "-r --usermap=1:2", "-r --chown=a:b", "-r --chown=a:b --no-o", "-a --numeric-ids",
  "-a --numeric-ids --no-numeric-ids", "-a --super", "-a --no-super", "-a --fake-super", "-aX --fake-super",
  "-aXX --fake-super", "-a --super --fake-super -XX", "-a --fake-super -M--fake-super", "-aE", "-rE", "-rEp",
  "-rE --no-p", "-aO", "-aJ", "-aOJ --no-O --no-J", "-aN", "-a --no-N", "-a --crtimes", "-a --no-crtimes", "-aK",
  "-ak", "-aL", "-aLk", "-a --safe-links --copy-unsafe-links", "-a --munge-links",
  "-a --munge-links --no-munge-links", "-a --insecure-links", "-a --drop-D", "-a --no-drop-D",
  "-a --confine-root=/ --insecure-links", "-a --confine-root=x", "-a --chmod=a+r --chmod=D755", "-a --chmod=x,y",
  // Connection and output.
  "-s", "-as --protect-args", "-as --no-s", "-a --secluded-args --no-secluded-args", "-a --old-args",
  "-a --old-args -s", "-as --old-args", "-a --old-args --old-args", "-a --old-args --no-old-args",
  "-a --old-args -M--x=*", "-as --files-from=:list", "-as --partial-dir=.p -M--y", "-as --iconv=utf8,latin1",
  "--iconv=utf8,latin1 --no-iconv", "--no-iconv --iconv=.", "-a --protocol=29 -s", "-a --protocol=29 -i",
  "-a --protocol=28 --iconv=.", "-a --protocol=29 -B1m", "-B1m --protocol=29", "-a --protocol=29 --usermap=1:2",
  "-a --protocol=29 --append-verify", "-a --protocol=29 -A", "-a --protocol=29 -X", "-a --protocol=29 -U",
  "-a --timeout=5 --no-timeout", "-a --bwlimit=5 --no-bwlimit", "-a --bwlimit=1m",
  "-a --contimeout=5 --no-contimeout", "-a --contimeout=5", "-a --password-file=x", "-a --stop-after=1",
  "-a --time-limit=1", "-a --stop-at=2099-1-1", "-a --blocking-io", "-a --no-blocking-io", "-a --out-format=%i",
  "-ai --out-format=%n", "-aii --out-format=%i", "-av --out-format=%o", "-a --log-format=%i",
  "-av --log-format=%i --no-i", "-a --stderr=all", "-a --stderr=client", "-a --msgs2stderr", "-a --no-msgs2stderr",
  "-aq --no-msgs2stderr", "-a --msgs2stderr --no-msgs2stderr", "-aq --stderr=client", "-aq --stderr=errors",
  "-a --info=progress", "-a --info=name0", "-av --info=name0", "-av --info=none", "-av --info=all0,del",
  "-avv --info=flist0", "-a --info=copy2,name --info=name0", "-a --debug=all", "-a --debug=none",
  "-avvvv --debug=none", "-a --info=stats2", "-a --info=skip2 -v", "-a --info=nonreg0", "-av --info=nonreg0",
  "-a --outbuf=L", "-a --8-bit-output", "-a8 --no-8", "-a --trust-sender", "-a --max-size=1k",
  "-a --max-size=1k --max-size=2k", "-a --min-size=2k --max-size=1k", "-C", "-aC -C", "-aCF", "-a --exclude=x -C",
  "-a --write-batch=BATCH --only-write-batch=BATCH", "-an --write-batch=BATCH", "-an --only-write-batch=BATCH",
  "-a --read-batch=/no/batch --write-batch=BATCH", "-a --read-batch=/no/batch --files-from=:x",
  "-a --read-batch=/no/batch --remove-source-files", "-a --read-batch=/no/batch --remove-sent-files",
];

/** Settings of the environment, with the options they meet. */
export const ENVIRONMENTS: readonly string[] = [
  "RSYNC_OLD_ARGS=1 -a", "RSYNC_OLD_ARGS=2 -a", "RSYNC_OLD_ARGS=0 -a", "RSYNC_OLD_ARGS= -a", "RSYNC_OLD_ARGS=x -a",
  "RSYNC_OLD_ARGS=1 -as", "RSYNC_OLD_ARGS=1 -a --no-old-args", "RSYNC_OLD_ARGS=1 -a --old-args",
  "RSYNC_OLD_ARGS=1 RSYNC_PROTECT_ARGS=1 -a", "RSYNC_PROTECT_ARGS=1 -a", "RSYNC_PROTECT_ARGS=0 -a",
  "RSYNC_PROTECT_ARGS=7 -a", "RSYNC_PROTECT_ARGS=yes -a", "RSYNC_PROTECT_ARGS= -a", "RSYNC_PROTECT_ARGS=1 -a --no-s",
  "RSYNC_PROTECT_ARGS=1 -a --old-args", "RSYNC_PARTIAL_DIR=.env -a", "RSYNC_PARTIAL_DIR=.env -a --partial",
  "RSYNC_PARTIAL_DIR=.env -aP", "RSYNC_PARTIAL_DIR=.env -aP --partial-dir=.own", "RSYNC_PARTIAL_DIR= -aP",
  "RSYNC_PARTIAL_DIR=. -aP", "RSYNC_PARTIAL_DIR=.env -a --delay-updates",
  "RSYNC_PARTIAL_DIR=.env -a --inplace --partial", "RSYNC_PARTIAL_DIR=.env -aP --no-partial",
  "RSYNC_PARTIAL_DIR=/abs -aP", "RSYNC_ICONV=utf8,latin1 -a", "RSYNC_ICONV=utf8,latin1 -a --no-iconv",
  "RSYNC_ICONV=utf8,latin1 -a --iconv=-", "RSYNC_ICONV=. -a", "RSYNC_ICONV= -a", "RSYNC_ICONV=utf8 -as",
  "RSYNC_ICONV=utf8,latin1 RSYNC_PROTECT_ARGS=1 -a", "RSYNC_MAX_ALLOC=2g -a", "RSYNC_MAX_ALLOC=1g -a",
  "RSYNC_MAX_ALLOC=x -a", "RSYNC_MAX_ALLOC= -a", "RSYNC_MAX_ALLOC=5k -a", "RSYNC_MAX_ALLOC=2g -a --max-alloc=3g",
  "RSYNC_MAX_ALLOC=x -a --max-alloc=3g", "POSIXLY_CORRECT=1 -a", "CVSIGNORE='a b' -aC", "RSYNC_CHECKSUM_LIST=md5 -a",
  "RSYNC_COMPRESS_LIST=zlib -az", "RSYNC_CHECKSUM_LIST=md5 -a --cc=xxh128", "RSYNC_PASSWORD=x -a",
  "RSYNC_CONNECT_PROG=false -a", "RSYNC_PROXY=x -a",
];

/** Whole command lines, words for the ends included. SHELL stands for the shell that echoes, ABSENT for no file. */
export const ENDS: readonly string[] = [
  "-a a b host:dst", "-a ABSENT host:", "-a host: dst", "-a host:a host:b dst", "-a host:a :b dst", "-a host:a :b",
  "host:", "host:a", "-r host:a", "-d host:a", "--list-only host:a b", "-a host:a b:c", "-a a:b c host:d",
  "-a host:a other:b dst", "-a host:a b dst", "-a host:a host::b dst", "-a user@host:a dst", "-a a user@host:dst",
  "-a @host:a dst", "-a user@:a dst", "-a [::1]:a dst", "-a u@[fe80::1%eth0]:a dst", "-a [host]:a dst",
  "-a 'host:a b' dst", "-a 'host:a*b' dst", "-a host:~/x dst", "-a host:~ dst", "-a host:~x/y/./z -R dst",
  "-a a host:~/x", "-a host:-x dst", "-a host:'$(x)' dst", "-a 'host:a\\ b' dst", "-a 'host:a\\*b' dst",
  "-a host:'a;b|c' dst", "-a host:'a#b' dst", "-a host:'a?b[c]' dst", "-as 'host:a b*' dst",
  "-a --old-args 'host:a b' dst", "-a --old-args host:a*b dst", "-a --trust-sender host:~x dst",
  "-a host:'a&b' ':c d' dst", "-a --no-R host:a/./b dst", "-aR host:a/./b dst", "-aR a/./b host:dst",
  "-a host:./-x dst", "-a -- -x host:dst", "-a -- host:-x -y", "-a '' host:dst", "-a ABSENT ''", "-a a '' host:dst",
  "-a host:'' dst", "-a host:a ''", "-a host:a :'' dst", "-a ABSENT", "ABSENT", "a:b c:d", "-a -host:a dst",
  "-a a ./host:b:c", "-a host/x:y ABSENT/dst", "-a host:dst --port=5 --rsh=SHELL", "-a --port=99 host:a dst",
  "-4 host:a dst", "-6 host:a dst", "-a -e 'SHELL -p 22' host:a dst", "-a -e 'SHELL -l me' host:a dst",
  "-a -e 'SHELL -l me' u@host:a dst", "-a --rsh='SHELL \"q' host:a dst", "-a --files-from=:x a host:c",
  "-a --files-from=:x host:a c", "-a --files-from=x:y a b", "-a --read-batch=ABSENT a b",
  "-a --read-batch=ABSENT host:a", "-a --delete host:a", "-r --delete a", "-a --password-file=x host:a dst",
  "-a --contimeout=3 a b", "-a --munge-links host:a dst", "POSIXLY_CORRECT=1 -a host:a dst -v",
  "POSIXLY_CORRECT=1 -a -v host:a dst",
];

/** What users define in ~/.popt, for the vectors in ALIASED. */
export const ALIASES = `# comment
rsync alias -Z --no-p --no-g --chmod=ugo=rwX
rsync alias -a -a@-1
rsync alias -t -t@-1
rsync alias --mirror --delete -a --exclude='a b' --exclude="it's" --exclude=\\\\x
rsync alias --take --exclude
rsync alias --both -v extra
rsync alias -Y -B
rsyn* alias -Q -\\
v
other alias -z -v
rsync alias --server -v
rsync alias --nothing
rsync exec --run echo
`;

/** Command lines that use them. */
export const ALIASED: readonly string[] = [
  "-avZ", "-Z", "-ZZv", "-a", "-t", "-rt", "--archive", "--mirror", "--mirror -Z", "--mirror=x", "--take x",
  "--take=x", "--both", "--take", "-Y 700", "-vY700", "-vYn 700", "-Q", "-z", "--nothing", "-Z=1", "-vZB700",
  "-aZ --perms", "--no-p -Z",
];

/** Servers with nothing on their standard input. */
export const SERVERS: readonly string[] = [
  "--server --nope . x", "--server -Y . x", "--server --sender --nope . x",
  "--server -vlogDtpre.iLsfxCIvu --what=1 . x", "--server --block-size=x . x", "--server --max-size=x . x",
  "--server --modify-window=x . x", "--server --timeout . ", "--server --json . x", "--server --watch . x",
  "--server --explain=x . x", "--server --delete . x", "--server --delete-before --delete-after -r . x",
  "--server --fake-super -XX . x", "--server --chmod=q . x", "--server --suffix=a/b . x", "--server --append -W . x",
  "--server --inplace --partial-dir=x . x", "--server -N . x", "--server --checksum-choice=nope . x",
  "--server --compress-choice=nope . x", "--server --files-from=host:x . x",
  "--server --link-dest=a --copy-dest=b . x", "--server --max-alloc=5k . x", "--server --stop-at=x . x",
  "--server --stderr=x . x", "--server -M x . x", "--server --bwlimit=x . x",
];
