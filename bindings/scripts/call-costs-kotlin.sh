#!/bin/sh
# What calls cost through the Kotlin package, with the release library: builds the program, and says on its last line
# where it is; it takes FOLDER HAMLET ROUNDS (bindings/kotlin/bench). Ends with 3 and says why when it cannot.
set -eu
CDPATH= cd -- "$(dirname -- "$0")/../.."
target=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && CDPATH= cd -- "${CARGO_TARGET_DIR:-target}" && pwd)
if ! command -v java >/dev/null || ! command -v mvn >/dev/null; then
    echo "a JDK (17 or later) and Maven are missing"
    exit 3
fi
bindings/scripts/write.sh kotlin release >&2
jars=$target/call-costs-kotlin
rm -rf "$jars"
cd bindings/kotlin
mvn --batch-mode --no-transfer-progress --quiet -Dstyle.color=never package -DskipTests -pl bench -am \
    -Dkotlin.compiler.daemon=false -Dlangso.target="$target" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$jars" >&2
cp bench/target/langso-bench-*.jar "$jars/"
cat >"$jars/run" <<END
#!/bin/sh
exec java "-Djna.library.path=$target/release" -cp "$jars/*" vn.langso.bench.MainKt "\$@"
END
chmod +x "$jars/run"
echo "$jars/run"
