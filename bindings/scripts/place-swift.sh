#!/bin/sh
# Puts what write.sh swift wrote where the Swift package looks for it. None of it is ever committed.
set -eu
CDPATH= cd -- "$(dirname -- "$0")/../.."
written=${CARGO_TARGET_DIR:-target}/bindings/swift
sources=bindings/swift/Sources

# A file that is there already stays as old as it is: nothing is compiled anew for it.
placed=
place() {
    mkdir -p "$2"
    cmp -s "$1" "$2/${1##*/}" || cp "$1" "$2/"
    placed="$placed $2/${1##*/}"
}

# Two lines of UniFFI's read every number and text of a record byte by byte through Foundation: they read at once instead.
# quicken FILE INTO SCRIPT, with one more of sed's.
quicken() {
    number='let _ = withUnsafeMutableBytes(of: &value, { reader.data.copyBytes(to: $0, from: range)})'
    text='reader.data.copyBytes(to: buffer, from: range)'
    for line in "$number" "$text"; do
        grep -qF "$line" "$1" || { echo "UniFFI no longer writes: $line" >&2 && exit 1; }
    done
    sed -e 's/^\( *\)let _ = withUnsafeMutableBytes(of: &value.*/\1reader.data.withUnsafeBytes { value = $0.loadUnaligned(fromByteOffset: range.lowerBound, as: T.self) }/' \
        -e 's/^\( *\)reader\.data\.copyBytes(to: buffer.*/\1reader.data.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range])) }/' \
        -e "$3" "$1" >"$2"
}

for module in LangsoRecordsFFI LangsoCallsFFI; do
    printf 'module %s {\n    header "%s.h"\n    link "langso_ffi"\n    export *\n}\n' $module $module \
        >"$written/module.modulemap"
    place "$written/module.modulemap" "$sources/$module"
    place "$written/core/$module.h" "$sources/$module"
done
mkdir -p "$written/quick"
quicken "$written/core/LangsoRecords.swift" "$written/quick/LangsoRecords.swift" ''
# A module of its own, which apps do not see.
quicken "$written/core/LangsoCalls.swift" "$written/quick/LangsoCalls.swift" \
    's/^import Foundation$/import Foundation; import LangsoCore/'
place "$written/quick/LangsoRecords.swift" "$sources/LangsoCore/Written"
place "$written/quick/LangsoCalls.swift" "$sources/LangsoCalls/Written"
place "$written/Features.swift" "$sources/Langso/Written"
place "$written/fake/Fakes.swift" "$sources/LangsoFake/Written"
for file in "$sources"/*/Written/*; do
    case "$placed " in *" $file "*) ;; *) rm -f "$file" ;; esac
done
