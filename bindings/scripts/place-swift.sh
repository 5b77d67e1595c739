#!/bin/sh
# Puts what write.sh swift wrote where the Swift package looks for it. None of it is ever committed.
set -eu
CDPATH= cd -- "$(dirname -- "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
sources=bindings/swift/Sources
rm -rf "$sources"/*/Written "$sources"/Langso*FFI
mkdir -p "$sources/LangsoCore/Written" "$sources/Langso/Written" "$sources/LangsoFake/Written"
for module in LangsoRecordsFFI LangsoCallsFFI; do
    mkdir -p "$sources/$module"
    cp "$target/bindings/swift/core/$module.h" "$sources/$module/"
    printf 'module %s {\n    header "%s.h"\n    link "langso_ffi"\n    export *\n}\n' $module $module \
        >"$sources/$module/module.modulemap"
done
cp "$target"/bindings/swift/core/*.swift "$sources/LangsoCore/Written/"
cp "$target/bindings/swift/Features.swift" "$sources/Langso/Written/"
cp "$target/bindings/swift/fake/Fakes.swift" "$sources/LangsoFake/Written/"
