#!/bin/sh
# The Swift package against a real hub. Ends with 3 and says why when the machine cannot run it.
set -eu
CDPATH= cd -- "$(dirname -- "$0")/../.."
target=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && CDPATH= cd -- "${CARGO_TARGET_DIR:-target}" && pwd)
run=
if ! command -v swift >/dev/null; then
    root=${LANGSO_SWIFT_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/langso/swift-6.0-trixie}
    bindings/scripts/swift-root.sh "$root"
    run="../scripts/in-swift.sh $root"
fi
bindings/scripts/write.sh swift
bindings/scripts/place-swift.sh
cd bindings/swift
export LANGSO_LIBRARIES="$target/debug"
# Formatters differ by version: the one of our root decides.
# shellcheck disable=SC2046,SC2086  # names without spaces; a program and its argument, or nothing
[ -z "$run" ] || $run swift format lint --strict $(find . -name '*.swift' ! -path '*/Written/*' ! -path './.build/*')
# shellcheck disable=SC2086  # a program and its argument, or nothing
exec $run swift test --quiet --scratch-path "$target/swift"
