#!/bin/sh
# The native library for each ABI of Android, in target/android/jniLibs. Needs the NDK (r28 or later) in ANDROID_NDK_HOME
# and the targets of rustup. Not run where this was written: there is no NDK.
set -eu
CDPATH= cd -- "$(dirname -- "$0")/../.."
: "${ANDROID_NDK_HOME:?the folder of the NDK}"
tools=$(echo "$ANDROID_NDK_HOME"/toolchains/llvm/prebuilt/*/bin)
api=24

build() {
    abi=$1 rust=$2 clang=$3
    rustup target add "$rust"
    name=$(echo "$rust" | tr a-z- A-Z_)
    env "CARGO_TARGET_${name}_LINKER=$tools/$clang$api-clang" "CC_$(echo "$rust" | tr - _)=$tools/$clang$api-clang" \
        "AR_$(echo "$rust" | tr - _)=$tools/llvm-ar" \
        cargo rustc --locked --profile phone -p langso-ffi --lib --crate-type cdylib --target "$rust"
    mkdir -p "target/android/jniLibs/$abi"
    cp "target/$rust/phone/liblangso_ffi.so" "target/android/jniLibs/$abi/"
}

build arm64-v8a aarch64-linux-android aarch64-linux-android
build armeabi-v7a armv7-linux-androideabi armv7a-linux-androideabi
build x86_64 x86_64-linux-android x86_64-linux-android
