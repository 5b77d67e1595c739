#!/bin/sh
# in-swift.sh ROOT COMMAND...: runs a command inside the Swift root, in the same folder; the checkout, the build folder and
# folders among the arguments are seen at the same place. A mount namespace of its own holds the binds: nothing stays
# mounted.
set -eu
root=$1
shift
BINDS="$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd) ${CARGO_TARGET_DIR:-}"
for argument in "$@"; do
    case $argument in /*) if [ -d "$argument" ]; then BINDS="$BINDS $argument"; fi ;; esac
done
export root BINDS HERE="$PWD"
exec unshare --mount --propagation private -- sh -euc '
    # A place of its own for mounts: tests in there make some more of them.
    mount --bind "$root" "$root"
    # Its tools find their libraries by /proc.
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    for folder in $BINDS; do
        mkdir -p "$root$folder"
        mount --rbind "$folder" "$root$folder"
    done
    exec env -i HERE="$HERE" HOME=/var LANG=C.UTF-8 CI="${CI:-}" LANGSO_LIBRARIES="${LANGSO_LIBRARIES:-}" \
        PATH=/usr/libexec/swift/bin:/usr/bin:/bin:/usr/sbin:/sbin \
        chroot "$root" /bin/sh -c "cd \"\$HERE\" 2>/dev/null; exec \"\$@\"" in-swift "$@"
' in-swift "$@"
