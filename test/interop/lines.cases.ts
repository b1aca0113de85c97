/** Command lines whose output is compared with stock rsync's. SRC and DST are added where a line has neither. */

/** Options to try every way around. */
export const LINES: readonly string[] = [
  // Verbosity.
  "-a", "-av", "-avv", "-avvv", "-avvvv", "-aq", "-avq", "-r", "-rv", "-rvv", "-d", "-dv", "-lv", "-v", "-vv", "-rlv",
  "-rtv", "-avn", "-avvn", "-ain", "-aiin", "-rvn", "-an", "-an --delete", "-avn --delete",
  // Items.
  "-ai", "-aii", "-aiii", "-avi", "-avvi", "-aiiv", "-ri", "-rii", "-rlti", "-aic", "-aiI", "-ai --size-only", "-aiu",
  "-avu", "-avvu", "-aiO", "-aiJ", "-aiE", "-aiH", "-aiHv", "-aiS", "-aiz", "-aizz", "-ai --no-W", "-aiW",
  "-ai --inplace", "-ai --no-W --inplace", "-ai --append", "-ai --append-verify", "-aiy", "-aik", "-aiK", "-aiL",
  "-aivL", "-aiR", "-aim", "-ai --no-perms", "-ai --no-times", "-ai --no-links", "-aiv --no-links", "-ai --no-D",
  "-aiv --no-D", "-aivv --no-D", "-ai --chmod=F600", "-ai --safe-links", "-aiv --safe-links",
  "-ai --copy-unsafe-links", "-ai --munge-links", "-ai --existing", "-aivv --existing", "-ai --ignore-existing",
  "-aivv --ignore-existing", "-aivv --existing --ignore-existing", "-ai --max-size=100", "-aiv --max-size=100",
  "-aivv --max-size=100", "-ai --min-size=100", "-aivv --min-size=100", "-ai --modify-window=6000", "-ai -@-1",
  "-ai -@6000 -c", "-aii -c", "-ai --ignore-times --checksum", "-ai --partial-dir=.part", "-ai --delay-updates",
  "-aiv --delay-updates", "-ai --temp-dir=WORK/tmp", "-ai --fsync", "-ai --link-dest=WORK/alt",
  "-aii --link-dest=WORK/alt", "-aiv --link-dest=WORK/alt", "-aivv --link-dest=WORK/alt", "-ai --copy-dest=WORK/alt",
  "-aii --copy-dest=WORK/alt", "-aivv --copy-dest=WORK/alt", "-ai --compare-dest=WORK/alt",
  "-aii --compare-dest=WORK/alt", "-aivv --compare-dest=WORK/alt", "-ai --preallocate", "-ai --numeric-ids",
  "-ai --protocol=29", "-av --protocol=28", "-ai --protocol=30", "-ai --no-i-r", "-av --no-i-r", "-avv --no-i-r",
  // Deleting and removing.
  "-ai --delete", "-av --delete", "-avv --delete", "-aiq --delete", "-ai --del", "-ai --delete-before",
  "-ai --delete-after", "-ai --delete-delay", "-ai --delete-during", "-av --delete-after",
  "-ai --delete-excluded --exclude=*.o", "-ai --delete --exclude=gone", "-aiv --delete --exclude=sub",
  "-ai --delete --max-delete=1", "-av --delete --max-delete=0", "-ai --delete --force", "-aib", "-aivb",
  "-aib --suffix=.old", "-aib --backup-dir=WORK/tmp/bak", "-avb --delete", "-aib --delete --backup-dir=.bak",
  "-ai --delete --info=del0", "-ai --delete --info=del2", "-a --delete --info=del", "-ai --remove-source-files",
  "-aiv --remove-source-files", "-av --remove-source-files", "-ai --force --no-D", "-ai --prune-empty-dirs --delete",
  "-a --info=remove --remove-source-files", "-rv --delete --delete-excluded --exclude=/sub",
  // Filters.
  "-ai --exclude=*.o", "-aiv --exclude=*.o", "-aivv --exclude=*.o", "-ai --exclude=sub/", "-aivv --exclude=sub/",
  "-aivv --include=*/ --include=*.txt --exclude=*", "-aivv -m --include=*/ --include=*.txt --exclude=*", "-aiC",
  "-aivvC", "-aivv --exclude-from=WORK/rules", "-aivv '--filter=. WORK/rules'", "-aivv '-f- /sub/deep' --delete",
  "-aiFF", "-aivv '-f-! */'", "-aivv '-fH *.o'", "-aivv '-fP gone' --delete",
  "-aivv '-fR gone' --delete --exclude=gone", "-a --debug=filter --exclude=*.o",
  "-a --debug=filter2 --exclude=*.o --include=x", "-a --debug=filter3 --exclude=*.o",
  // Formats.
  "-a --out-format=%n", "-a '--out-format=%i %n%L'", "-a '--out-format=%o %f %l'", "-a '--out-format=%b %c %C %n'",
  "-a '--out-format=%M %B %n'", "-a '--out-format=%U %G %n'", "-a '--out-format=%t|%a|%h|%m|%P|%u'",
  "-a '--out-format=[%10n] [%-10n]'", "-a \"--out-format=%'l %''l %'''b %12l\"", "-a '--out-format=%% %x %z %5'",
  "-av --out-format=%n%L", "-avv --out-format=%n", "-ai --out-format=%n", "-aii --out-format=%i:%n",
  "-an --out-format=%i%n%L", "-a --out-format=%o --delete", "-a '--out-format=%o %i %n' --delete", "-a --out-format=",
  "-a '--out-format=%C' -c", "-a --log-format=%n", "-aH '--out-format=%i %n%L'", "-a '--out-format=%l %b %n' --no-W",
  "-az '--out-format=%n %l'", "-a --log-file=WORK/tmp/log", "-ai --log-file=WORK/tmp/log --delete",
  "-av --log-file=WORK/tmp/log", "-a --log-file=WORK/tmp/log '--log-file-format=%o %n %l'",
  "-aq --log-file=WORK/tmp/log", "-an --log-file=WORK/tmp/log",
  // Statistics and numbers.
  "-a --stats", "-av --stats", "-avv --stats", "-ai --stats --delete", "-ah --stats", "-ahh --stats",
  "-a --no-h --stats", "-avh", "-avhh", "-av --no-h", "-an --stats", "-a --stats --no-W", "-a --stats --no-W -B700",
  "-aH --stats", "-r --stats", "-a --info=stats1", "-a --info=stats2", "-a --info=stats0", "-av --info=stats0",
  "-aq --stats", "-a --stats -z", "-aihh --out-format='%l %n'",
  // Progress, into a pipe.
  "-a --progress", "-av --progress", "-aP", "-avP", "-aiP", "-a --info=progress2", "-av --info=progress2",
  "-a --info=progress2 --no-i-r", "-a --progress --delete", "-aq --progress", "-aPh", "-a --progress --no-W", "-aPn",
  "-a --info=progress2,name1", "-a --info=progress,name0", "-a --info=name0 --progress", "-aPvv",
  "-a --progress --exclude=big*",
  // Flags of --info.
  "-a --info=backup -b", "-a --info=copy --copy-dest=WORK/alt", "-a --info=del --delete", "-a --info=flist",
  "-a --info=flist2", "-a --info=misc", "-a --info=misc2", "-a --info=mount -x", "-a --info=name", "-a --info=name2",
  "-a --info=nonreg --no-D", "-a --info=nonreg0 --no-D", "-a --info=skip --existing", "-a --info=skip2 --existing",
  "-a --info=symsafe --safe-links", "-a --info=all --delete", "-a --info=all0 -v", "-a --info=none -vv",
  "-av --info=name0", "-avv --info=name1", "-a --info=all4",
  // Flags of --debug.
  "-a --debug=backup -b", "-a --debug=backup2 -b", "-a --debug=chdir", "-a --debug=del --delete",
  "-a --debug=del2 --delete", "-a --debug=del3 --delete", "-a --debug=deltasum --no-W", "-a --debug=deltasum2 --no-W",
  "-a --debug=deltasum3 --no-W", "-a --debug=dup", "-a --debug=flist", "-a --debug=flist2", "-a --debug=flist3",
  "-a --debug=flist4", "-ay --debug=fuzzy", "-ay --debug=fuzzy2", "-a --debug=genr", "-aH --debug=hlink",
  "-aH --debug=hlink2", "-aH --debug=hlink3", "-a --debug=nstr", "-a --debug=nstr2", "-a --debug=own",
  "-a --debug=own2", "-a --debug=proto", "-a --debug=recv", "-a --debug=recv2", "-a --debug=send", "-a --debug=send2",
  "-a --debug=time", "-a --debug=time2", "-a --debug=exit", "-a --debug=exit2", "-a --debug=cmd", "-a --debug=acl",
  "-a --debug=hash", "-a --debug=iconv", "-a --debug=bind", "-a --debug=connect",
  // Errors and odd ends.
  "-ai SRCabsent DST", "-ai SRCabsent SRC DST", "-ai --files-from=names SRC DST", "-av --files-from=names SRC DST",
  "-ai --ignore-missing-args SRCabsent SRC DST", "-ai --delete-missing-args SRCgone SRC DST",
  "-ai SRCnew DSTother.name", "-ai SRCnew DSTno/such/dir/", "-ai --mkpath SRCnew DSTno/such/dir/", "-av SRC DSTmade/",
  "-ai SRCsub SRCother DST", "-v SRC DST", "-i SRCnew SRCsub DST", "-v SRCfifo DST", "-v SRClink DST",
  "-ai SRCsub DSTsame", "-ai SRC DSTsame", "-aiR SRC./sub/deep DST", "-aiR --no-implied-dirs SRC./sub/deep/c DST",
  "-a --write-devices SRCnew DST", "-ai --chown=nobody: SRC DST", "-ai --usermap=root:bin SRC DST",
  "-ai --iconv=utf8,latin1 SRC DST",
];

/** Listings: no destination. */
export const LISTINGS: readonly string[] = [
  "SRC", "-r SRC", "-a SRC", "-av SRC", "-d SRC", "-n SRC", "-l SRC", "-a --list-only SRC", "-rh SRC", "-rhh SRC",
  "-r --no-h SRC", "-r8 SRC", "-rU SRC", "-c SRC", "-rc SRC", "-r --list-only SRCsub SRCnew", "-r --exclude=*.o SRC",
  "-ri SRC", "-rv --stats SRC", "-rvv SRC", "-rq SRC", "-R SRCsub/deep", "SRCabsent", "SRCnew", "SRCsub", "-r -m SRC",
  "-aH SRC", "--list-only SRC DST", "-r --list-only --delete SRC DST", "-r --info=name SRC",
];

/** What a terminal gets. */
export const ON_TERMINAL: readonly string[] = [
  "-a --progress", "-aP", "-avP", "-aiP", "-a --info=progress2", "-av --info=progress2", "-ai", "-av", "-aPn",
  "-aP --no-W", "-a --info=progress2 --no-i-r", "-aPh", "-aPhh", "-a --progress --outbuf=L", "-a --stats",
  "-aq --progress", "-a --info=progress2 --delete",
];
