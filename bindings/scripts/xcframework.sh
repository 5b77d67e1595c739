#!/bin/sh
# The library for iPhone and its simulator as an XCFramework, beside bindings/swift/Package.swift, and the written sources.
# Needs a Mac with Xcode and the targets of rustup. Not run where this was written: there is no Mac.
set -eu
CDPATH= cd -- "$(dirname -- "$0")/../.."
for rust in aarch64-apple-ios aarch64-apple-ios-sim; do
    rustup target add "$rust"
    cargo rustc --locked --profile phone -p langso-ffi --lib --crate-type staticlib --target "$rust"
done
bindings/scripts/write.sh swift
bindings/scripts/place-swift.sh
headers=bindings/swift/Sources/LangsoRecordsFFI
rm -rf bindings/swift/LangsoRecordsFFI.xcframework
xcodebuild -create-xcframework \
    -library target/aarch64-apple-ios/phone/liblangso_ffi.a -headers "$headers" \
    -library target/aarch64-apple-ios-sim/phone/liblangso_ffi.a -headers "$headers" \
    -output bindings/swift/LangsoRecordsFFI.xcframework
