#!/bin/sh
# Fuzzes every target of the module for an equal share of FUZZTIME seconds.
# A target found by nobody cannot fail, so an empty list is an error.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
total=${FUZZTIME:-240}
case $total in
'' | *[!0-9]*)
	echo "fuzz: FUZZTIME=$total: want whole seconds" >&2
	exit 2
	;;
esac

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# go test -list prints the names of a package and then its "ok" line.
if ! "$go" test -list '^Fuzz' ./... >"$log" 2>&1; then
	cat "$log" >&2
	exit 1
fi
targets=$(awk '/^Fuzz/ {names[n++] = $1} $1 == "ok" {for (i = 0; i < n; i++) print $2, names[i]; n = 0}' "$log")
if [ -z "$targets" ]; then
	echo 'fuzz: no Fuzz target found' >&2
	exit 1
fi
number=$(printf '%s\n' "$targets" | wc -l)
share=$((total / number))
[ "$share" -ge 1 ] || share=1
echo "fuzz: $((number)) targets, $share s each"

printf '%s\n' "$targets" | while read -r pkg name; do
	status=0
	"$go" test -run '^$' -fuzz "^$name\$" -fuzztime "${share}s" "$pkg" >"$log" 2>&1 || status=$?
	if [ "$status" -ne 0 ]; then
		# Go ends a worker that is busy when the time is up with this
		# error (golang/go#48591). A finding always leaves an input.
		if grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input written' "$log"; then
			echo "  $pkg $name: ended at the deadline"
			continue
		fi
		cat "$log" >&2
		echo "fuzz: $pkg $name failed" >&2
		exit 1
	fi
	execs=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
	echo "  $pkg $name: ${execs:-0} inputs"
done
