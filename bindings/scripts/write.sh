#!/bin/sh
# Writes what the packages are made of, below target/bindings: UniFFI's code for the records and calls, and the features.
# write.sh kotlin|swift [debug|release]; from anywhere. Nothing of it is ever committed.
set -eu
CDPATH= cd -- "$(dirname -- "$0")/../.."
language=$1
profile=${2:-debug}
target=${CARGO_TARGET_DIR:-target}
out=$target/bindings/$language

case $profile in
    debug) cargo build --locked --quiet -p langso-ffi -p langso ;;
    release) cargo build --locked --quiet --release -p langso-ffi -p langso ;;
esac
# Built once: cargo looks whether UniFFI has changed.
cargo build --locked --quiet --manifest-path bindings/uniffi-bindgen/Cargo.toml --target-dir "$target/uniffi-bindgen"

case $(uname -s) in
    Darwin) library=liblangso_ffi.dylib ;;
    *) library=liblangso_ffi.so ;;
esac
rm -rf "$out"
mkdir -p "$out/core"
# Of the library with its symbols: UniFFI reads them.
"$target/uniffi-bindgen/debug/uniffi-bindgen" generate "$target/$profile/$library" --config bindings/uniffi.toml \
    --language "$language" --no-format --out-dir "$out/core"
cargo run --locked --quiet -p langso-calls -- "$language" "$out"
if [ "$language" = kotlin ]; then
    mv "$out/Features.kt" "$out/core/"
    # An app sees the records and errors, and nothing of how they cross.
    shown='(public )?((open |abstract |inline )?(class|interface|object|fun) '
    carries='(T\.use|RustBuffer|InternalException|FfiConverter|[Uu]niffi|Disposable|NoHandle|ForeignBytes|[A-Za-z]*ErrorHandler)'
    calls=$out/core/vn/langso/calls/langso_ffi.kt records=$out/core/vn/langso/core/langso_device.kt
    sed -E "s/^$shown)/internal \\2/" "$calls" >"$out/hidden"
    mv "$out/hidden" "$calls"
    sed -E -e "s/^$shown(<.*> )?$carries)/internal \\2/" \
        -e 's/^    companion object ErrorHandler/    internal companion object ErrorHandler/' "$records" >"$out/hidden"
    mv "$out/hidden" "$records"
    for hidden in "Phone $calls" "RustBuffer $records"; do
        grep -q "^internal open class ${hidden%% *}" "${hidden#* }" ||
            { echo "UniFFI no longer writes the class ${hidden%% *}" >&2 && exit 1; }
    done
fi
