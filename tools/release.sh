#!/bin/sh
# Builds the command for every platform, without cgo, and writes a checksum
# file beside the binaries. The same commit gives the same bytes.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
dist=${DIST:-dist}
rm -rf "$dist"
mkdir -p "$dist"
for platform in $PLATFORMS; do
	os=${platform%/*}
	arch=${platform#*/}
	name=bywire_${VERSION}_${os}_${arch}
	[ "$os" = windows ] && name=$name.exe
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch "$go" build -trimpath -buildvcs=false -ldflags "$LDFLAGS" -o "$dist/$name" ./cmd/bywire
	echo "  dist/$name"
done
cd "$dist"
if command -v sha256sum >/dev/null 2>&1; then
	sha256sum bywire_* >SHA256SUMS
else
	shasum -a 256 bywire_* >SHA256SUMS
fi
echo '  dist/SHA256SUMS'
