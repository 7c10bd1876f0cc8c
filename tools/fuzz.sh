#!/bin/sh
# Fuzzes every target of the module for an equal share of FUZZTIME seconds,
# builds and start-ups included. A target found by nobody cannot fail, so an
# empty list is an error.
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
left=$(printf '%s\n' "$targets" | wc -l)
echo "fuzz: $((left)) targets in $total s"

began=$(date +%s)
startup=3 # seconds before the first input, as the target before took them
printf '%s\n' "$targets" | while read -r pkg name; do
	from=$(date +%s)
	share=$(((began + total - from) / left - startup))
	[ "$share" -ge 1 ] || share=1
	left=$((left - 1))
	status=0
	"$go" test -run '^$' -fuzz "^$name\$" -fuzztime "${share}s" -fuzzminimizetime 10x "$pkg" >"$log" 2>&1 || status=$?
	startup=$(($(date +%s) - from - share))
	[ "$startup" -ge 0 ] || startup=0
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
	echo "  $pkg $name: $share s, ${execs:-0} inputs"
done
