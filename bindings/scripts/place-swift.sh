#!/bin/sh
# Puts what write.sh swift wrote where the Swift package looks for it. None of it is ever committed.
set -eu
CDPATH= cd -- "$(dirname -- "$0")/../.."
written=${CARGO_TARGET_DIR:-target}/bindings/swift
sources=bindings/swift/Sources

# A file that is there already stays as old as it is: nothing is compiled anew for it.
place() {
    mkdir -p "$2"
    cmp -s "$1" "$2/${1##*/}" || cp "$1" "$2/"
}

for module in LangsoRecordsFFI LangsoCallsFFI; do
    printf 'module %s {\n    header "%s.h"\n    link "langso_ffi"\n    export *\n}\n' $module $module \
        >"$written/module.modulemap"
    place "$written/module.modulemap" "$sources/$module"
    place "$written/core/$module.h" "$sources/$module"
done
for file in "$written"/core/*.swift; do place "$file" "$sources/LangsoCore/Written"; done
place "$written/Features.swift" "$sources/Langso/Written"
place "$written/fake/Fakes.swift" "$sources/LangsoFake/Written"
