#!/bin/sh
# Generates the code again and fails if a generated file appeared, changed or
# went away: what is committed is what the generators write.
set -eu
cd "$(dirname "$0")/.."
state() {
	find . -name '*_gen.go' -not -path './.git/*' | sort | while read -r f; do
		printf '%s ' "$f"
		git hash-object "$f"
	done
}
before=$(state)
"${GO:-go}" generate ./...
after=$(state)
if [ "$before" != "$after" ]; then
	echo 'gen-check: make gen changes the tree; commit what it writes:' >&2
	printf '%s\n---\n%s\n' "$before" "$after" >&2
	exit 1
fi
