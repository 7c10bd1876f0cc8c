// Package api is the REST half of the local exchange: requests in, replies as the venue writes them out. It decodes and
// checks the parameters, reads the market, and puts the result into its envelope.
//
//	handler's goroutine        the loop's goroutine
//	┌──────────────────┐       ┌─────────────────────────────────────────────────────────────┐
//	│ Admit            │       │ Serve                                                       │
//	│   limit of the   │ ────▶ │   table: path ─▶ parameters ─▶ checks ─▶ handler ─▶ envelope│
//	│   address, sizes │       │                  (generated)             reads the Market   │
//	└──────────────────┘       └─────────────────────────────────────────────────────────────┘
//
// What is there is one table (endpoints in table.go): a path with its handler and with what is missing of it. Paths that
// are documented and not in it answer with one clear error that names them; other paths answer as the venue does. The
// page docs/fidelity.md has its table of endpoints from the same place.
//
// A handler is one function per endpoint, in the file of its group. It gets decoded parameters, a view of the market
// that holds while it runs, and returns a result of package bybit or a refusal. The package has no JSON type of its own:
// what it writes is what the SDK reads.
//
// What it does not do: change the market, wait, or keep anything of the market between two requests. Messages and rules
// that the documentation does not have are marked "seen" where others recorded them of the venue, "choice" where
// nothing is known.
package api
