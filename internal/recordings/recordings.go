// Package recordings finds the recordings of the real exchange and the
// protocol facts that lie beside a checkout. They are not part of the
// repository: tests that read them carry the build tag "recordings", run by
// make check-recordings, and fail where the folder is missing.
//
// The folder is the value of BYWIRE_SHARED, or ../shared seen from the
// module's root.
package recordings

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the path of a file or folder under the shared folder, named
// with slashes, such as "testdata/real/ws_v5". It ends the test with an error
// if there is none: a missing recording is never a passed test.
func Path(tb testing.TB, name string) string {
	tb.Helper()
	p := filepath.Join(root(tb), filepath.FromSlash(name))
	if _, err := os.Stat(p); err != nil {
		tb.Fatalf("recordings: %v (set BYWIRE_SHARED to the folder that holds spec/ and testdata/)", err)
	}
	return p
}

// root returns the shared folder: BYWIRE_SHARED, or the neighbour of the
// folder that holds go.mod.
func root(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv("BYWIRE_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatalf("recordings: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(filepath.Dir(dir), "shared")
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("recordings: no go.mod above the working directory")
		}
		dir = parent
	}
}
