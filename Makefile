# make without a target prints this list. Everything here is Go, sh and git;
# the linter is built from tools/go.mod, which no user of the module sees.

GO       ?= go
BIN      := $(CURDIR)/bin
DIST     := $(CURDIR)/dist
VERSION  ?= $(shell sh tools/version.sh)
LDFLAGS  := -s -w -X main.version=$(VERSION)
# Seconds of fuzzing in all, shared out over the targets.
FUZZTIME ?= 240
# How long make sim goes on, and its first seed: a number or any text.
SIMTIME  ?= 2m
SEED     ?= $(shell git rev-parse HEAD)
# How long make soak records.
SOAK     ?= 10m
# Where the recordings of the real exchange lie: spec/ and testdata/real/.
BYWIRE_SHARED ?= $(abspath $(CURDIR)/../shared)
# The file that make live writes.
LIVE_REPORT ?= $(CURDIR)/bywire-live.json
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.DEFAULT_GOAL := help

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the command into bin/
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/...

.PHONY: test
test: ## run the tests: what a fresh clone passes
	$(GO) test ./...

.PHONY: check
check: ## gofmt, lint, generated code, peers, golden hashes, race detector, fuzz smoke
	@for part in fmt-check lint gen-check peers determinism race fuzz; do \
		from=$$(date +%s); \
		$(MAKE) --no-print-directory $$part || exit 1; \
		echo "check: $$part took $$(($$(date +%s) - from)) s"; \
	done

.PHONY: check-recordings
check-recordings: ## run the tests over recordings of the real exchange (BYWIRE_SHARED)
	@test -d '$(BYWIRE_SHARED)/testdata/real' || { echo 'check-recordings: no $(BYWIRE_SHARED)/testdata/real: set BYWIRE_SHARED'; exit 1; }
	@GO='$(GO)' BYWIRE_SHARED='$(BYWIRE_SHARED)' sh tools/recordings.sh

.PHONY: market
market: ## write docs/market.md: the generated market beside the recordings (BYWIRE_SHARED)
	$(GO) run ./exchange/internal/cmd/market -recordings '$(BYWIRE_SHARED)/testdata/real'

.PHONY: soak
soak: ## record SOAK=10m of 20,000 messages a second; loses nothing, memory stays flat
	BYWIRE_SOAK=$(SOAK) $(GO) test ./cmd/bywire -run 'TestRecordKeepsUp$$' -count 1 -v -timeout 6h

.PHONY: lint
lint: $(BIN)/golangci-lint ## run golangci-lint (vet and staticcheck are in it)
	$(BIN)/golangci-lint run ./...
	cd bench && $(BIN)/golangci-lint run ./...

.PHONY: race
race: ## run the tests under the race detector, but for four packages that compute for long on one goroutine
	$(GO) test -race $$($(GO) list ./... | grep -vE '/exchange/internal/(core|past|flow|realism)$$')

.PHONY: fuzz
fuzz: ## fuzz every target, FUZZTIME=240 seconds in all
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' sh tools/fuzz.sh

.PHONY: sim
sim: ## put streams under random faults for SIMTIME=2m, seeds from SEED (the commit)
	BYWIRE_SEED='$(SEED)' BYWIRE_SIM='$(SIMTIME)' $(GO) test ./internal/sim -run TestTruthUnderFaults -count 1 -v -timeout 30m

.PHONY: determinism
determinism: ## the exchange leads to its golden hashes: amd64 v1 and v3, one processor and two (ARGS=-hour: a virtual hour)
	@GO='$(GO)' ARGS='$(ARGS)' sh tools/determinism.sh

.PHONY: gen
gen: ## write the generated code (*_gen.go) anew
	$(GO) generate ./...

.PHONY: bench
bench: ## measure against the other Go clients, same feed, one run
	cd bench && $(GO) run ./cmd/peers
	cd bench && $(GO) test -count 1 -v -run Faster ./internal/replies

.PHONY: speed
speed: ## measure the exchange: fails beyond the limits of docs/performance.md
	$(GO) test -run '^$$' -bench Commands ./exchange/internal/engine
	$(GO) test -run '^$$' -bench MaxClock ./exchange
	$(GO) test -run '^$$' -bench Live -benchtime 5x ./exchange

.PHONY: live
live: ## compare the live exchange with what we take it for (LIVE_REPORT), a minute, no account
	$(GO) run -ldflags '$(LDFLAGS)' ./cmd/bywire live --to '$(LIVE_REPORT)'

.PHONY: release
release: ## cross-build the command into dist/ with checksums
	@GO='$(GO)' VERSION='$(VERSION)' LDFLAGS='$(LDFLAGS)' PLATFORMS='$(PLATFORMS)' DIST='$(DIST)' sh tools/release.sh

.PHONY: clean
clean: ## remove bin/ and dist/
	rm -rf '$(BIN)' '$(DIST)'

# Parts of check, too small to be listed.

.PHONY: fmt-check
fmt-check:
	@out=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$out" ]; then echo 'gofmt would change:'; echo "$$out"; exit 1; fi

.PHONY: gen-check
gen-check:
	@GO='$(GO)' sh tools/gencheck.sh

# What is claimed of the other clients and can be told on a busy machine.
.PHONY: peers
peers:
	cd bench && $(GO) test ./...

$(BIN)/golangci-lint: tools/go.mod tools/go.sum
	cd tools && GOBIN='$(BIN)' $(GO) install tool
	@touch $@
