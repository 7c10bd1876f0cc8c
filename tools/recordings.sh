#!/bin/sh
# Runs the tests of every package that has a *_recordings_test.go file with
# the build tag that lets them in. -count=1: the test cache does not see the
# recordings, which lie outside the module.
set -eu
cd "$(dirname "$0")/.."
pkgs=$(find . -name '*_recordings_test.go' -not -path './bench/*' -exec dirname {} \; | sort -u)
if [ -z "$pkgs" ]; then
	echo 'check-recordings: no *_recordings_test.go in the tree' >&2
	exit 1
fi
# shellcheck disable=SC2086 # one argument per package
exec "${GO:-go}" test -count=1 -tags recordings $pkgs
