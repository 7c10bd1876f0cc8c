// Package realism measures a market: how wide its spread is, how its book is filled, how sizes are spread, how often it
// changes, how its price moves. The same code measures recordings of the real exchange and the market that the local
// exchange generates, so that the two can be put beside one another (docs/market.md, made by make market) and held
// together by a test.
//
//	recordings of the exchange ─▶ readers ─▶ ┐
//	                                         ├─▶ Meter ─▶ Figures ─▶ docs/market.md, the test of the factor
//	generated market ─▶ Watch ──────────────▶┘
//
// It is the one package of the exchange that computes with floats: it only looks, and nothing it says goes back into
// the market.
package realism
