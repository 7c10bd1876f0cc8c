#!/bin/sh
# Prints the version a build carries: the nearest v* tag as git describes it,
# or, before the first tag, the newest heading of CHANGELOG.md and the commit.
set -eu
cd "$(dirname "$0")/.."
if v=$(git describe --tags --match 'v*' --dirty 2>/dev/null); then
	echo "$v"
	exit 0
fi
v=$(sed -n 's/^## \[\{0,1\}v\{0,1\}\([0-9][0-9.]*[0-9]\).*/\1/p' CHANGELOG.md 2>/dev/null | head -n 1)
c=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
echo "v${v:-0.0.0}-dev+$c"
