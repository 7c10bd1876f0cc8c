#!/bin/sh
# The exchange is the same on every machine: its golden run, built for the first and the third level of amd64, on one
# processor and on two, leads to the hashes in exchange/internal/core/testdata/golden.txt. ARGS=-hour runs a virtual
# hour, for which the file needs a line of its own: go test ./exchange/internal/core -run Golden -update -hour.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
args=${ARGS:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
levels='v1 v3'
case $("$go" env GOARCH) in
amd64)
	# A processor without AVX2 cannot run what is built for v3; say so and do not pretend.
	if [ -r /proc/cpuinfo ] && ! grep -q avx2 /proc/cpuinfo; then
		echo 'determinism: this processor cannot run GOAMD64=v3' >&2
		exit 1
	fi
	;;
*) levels='none' ;;
esac
for level in $levels; do
	if [ "$level" = none ]; then
		"$go" test -c -o "$dir/core.test" ./exchange/internal/core
	else
		GOAMD64=$level "$go" test -c -o "$dir/core.test" ./exchange/internal/core
	fi
	for processors in 1 2; do
		# shellcheck disable=SC2086 # args are words
		if ! (cd exchange/internal/core && GOMAXPROCS=$processors "$dir/core.test" -test.run 'TestGoldenHash$' -test.timeout 30m $args) >"$dir/log" 2>&1; then
			cat "$dir/log" >&2
			echo "determinism: GOAMD64=$level, GOMAXPROCS=$processors: not as in golden.txt" >&2
			exit 1
		fi
		echo "determinism: GOAMD64=$level, GOMAXPROCS=$processors: as in golden.txt"
	done
done
