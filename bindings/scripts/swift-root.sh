#!/bin/sh
# A Debian with Swift in a folder of its own, for machines whose Debian has none: swift-root.sh FOLDER. Needs root; takes
# some 600 MB from the machine's own Debian mirror once, 2.6 GB on disk. Ends with 3 when it cannot.
set -eu
folder=$1
[ ! -e "$folder/.complete" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Swift comes from Debian packages here, which takes root and apt-get"
    exit 3
fi
mkdir -p "$(dirname -- "$folder")"
log=$folder.log
echo "installing Swift in a folder of its own; takes some minutes once" >&2
command -v mmdebstrap >/dev/null || { apt-get update -q && apt-get install -y -q --no-install-recommends mmdebstrap; } \
    >"$log" 2>&1 || true
mirror=$(apt-get indextargets --format '$(SITE)' | grep -v security | sort | uniq -c | sort -rn | awk 'NR==1{print $2}')
rm -rf --one-file-system "$folder.part"
DEBIAN_FRONTEND=noninteractive mmdebstrap --variant=apt --mode=root --format=directory \
    --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --include=swiftlang,swiftlang-dev,libc6-dev,libstdc++-14-dev,git,ca-certificates \
    trixie "$folder.part" "deb $mirror trixie main" >>"$log" 2>&1 || { echo "Swift could not be installed, see $log"; exit 3; }
touch "$folder.part/.complete"
mv "$folder.part" "$folder"
