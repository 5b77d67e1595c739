#!/bin/sh
# The Kotlin package against a real hub. Ends with 3 and says why when the machine cannot run it.
set -eu
CDPATH= cd -- "$(dirname -- "$0")/../.."
target=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && CDPATH= cd -- "${CARGO_TARGET_DIR:-target}" && pwd)

have() { command -v java >/dev/null && command -v mvn >/dev/null; }
if ! have && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing a JDK and Maven" >&2
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        openjdk-17-jdk-headless maven; } >"$target/install-kotlin.log" 2>&1 || true
fi
if ! have; then
    echo "a JDK (17 or later) and Maven are missing and could not be installed"
    exit 3
fi
bindings/scripts/write.sh kotlin
# Names in Vietnamese reach a process only so.
export LC_ALL=C.UTF-8
cd bindings/kotlin
maven() { mvn --batch-mode --no-transfer-progress --quiet -Dstyle.color=never "$@"; }

# How the sources are written, by bindings/kotlin/.editorconfig; java -jar ... -F writes them so.
ktlint=$(sed -n 's:.*<ktlint.version>\(.*\)</.*:\1:p' pom.xml)
checker=$target/tools/ktlint-cli-$ktlint-all.jar
[ -e "$checker" ] || maven org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    "-Dartifact=com.pinterest.ktlint:ktlint-cli:$ktlint:jar:all" "-DoutputDirectory=$target/tools"
java -jar "$checker" --log-level=error '*/src/**/*.kt' 'gradle/*.kts'

# The compiler's daemon would stay behind with some GB.
maven verify -Dkotlin.compiler.daemon=false -Dlangso.target="$target"
