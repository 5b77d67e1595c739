#!/bin/sh
# The Swift package against a real hub. Ends with 3 and says why when the machine cannot run it.
set -eu
CDPATH= cd -- "$(dirname -- "$0")/../.."
target=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && CDPATH= cd -- "${CARGO_TARGET_DIR:-target}" && pwd)
. bindings/scripts/find-swift.sh
bindings/scripts/write.sh swift
bindings/scripts/place-swift.sh
cd bindings/swift
export LANGSO_LIBRARIES="$target/debug"
# Formatters differ by version: the one of our root decides.
# shellcheck disable=SC2046,SC2086  # names without spaces; a program and its argument, or nothing
[ -z "$run" ] || $run swift format lint --strict $(find . -name '*.swift' ! -path '*/Written/*' ! -path './.build/*')
# shellcheck disable=SC2086  # a program and its argument, or nothing
exec $run swift test --quiet --scratch-path "$target/swift"
