#!/bin/sh
# What calls cost through the Swift package, with the release library: builds the program, and says on its last line
# where it is; it takes FOLDER HAMLET ROUNDS (bindings/swift/Bench).
set -eu
CDPATH= cd -- "$(dirname -- "$0")/../.."
target=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && CDPATH= cd -- "${CARGO_TARGET_DIR:-target}" && pwd)
. bindings/scripts/find-swift.sh
bindings/scripts/write.sh swift release
bindings/scripts/place-swift.sh
cd bindings/swift
export LANGSO_LIBRARIES="$target/release"
# shellcheck disable=SC2086  # a program and its argument, or nothing
$run swift build --quiet --configuration release --product langso-call-costs --scratch-path "$target/swift-release" >&2
cat >"$target/swift-release/run" <<END
#!/bin/sh
exec $run "$target/swift-release/release/langso-call-costs" "\$@"
END
chmod +x "$target/swift-release/run"
echo "$target/swift-release/run"
