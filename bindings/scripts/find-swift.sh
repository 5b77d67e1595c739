# Read by the scripts that need Swift, from the root of the repository: sets run to what a command of Swift's begins with,
# nothing where the machine has one; else a root that holds one is made first. Ends with 3 and says why when it cannot.
run=
if ! command -v swift >/dev/null; then
    root=${LANGSO_SWIFT_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/langso/swift-6.0-trixie}
    bindings/scripts/swift-root.sh "$root"
    run="$PWD/bindings/scripts/in-swift.sh $root"
fi
