// Package tidy holds tests about the repository itself: the promises of
// ARCHITECTURE.md and CONTRIBUTING.md that a compiler does not check and a
// reviewer forgets. It has no code that anybody imports.
//
// What is promised, and the file that checks it:
//
//	imports_test.go  who may import whom; what a user of bybit pulls in
//	purity_test.go   no clock, goroutine, float or map order in pure packages
//	state_test.go    no init functions, no mutable package variables
//	files_test.go    names, length, format, package comments, generated code
//	fuzz_test.go     every package that decodes has a fuzz target
//	docs_test.go     the README's examples are the compiled ones
//
// A rule is a function from a tree of files to the places that break it. Each
// one is tested twice: against this repository, where it must find nothing,
// and against a small tree written in the test that breaks it, where it must
// find exactly that. So there is no rule here that cannot fail.
//
// An exception is a line in the table of its rule, with the reason beside it.
package tidy
