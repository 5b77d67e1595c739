#!/bin/sh
# in-swift.sh ROOT COMMAND...: runs a command inside the Swift root, in the same folder; the checkout and the build folder
# are seen at the same place. A mount namespace of its own holds the binds: nothing stays mounted.
set -eu
root=$1
shift
export root HERE="$PWD" BINDS="$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd) ${CARGO_TARGET_DIR:-}"
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
        chroot "$root" /bin/sh -c "cd \"\$HERE\" && exec \"\$@\"" in-swift "$@"
' in-swift "$@"
