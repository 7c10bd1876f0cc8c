package main

import "regexp"

var (
	selected = regexp.MustCompile(`\b(\w+)\.([A-Z]\w*)`)
	called   = regexp.MustCompile(`New\(client\)\.(\w+)\(`)
	keyed    = regexp.MustCompile(`\b([A-Z]\w*): `)
)

// example checks that the names in the code of a package's comment exist.
func (c *checker) example() {
	known := map[string]bool{"New": true}
	for _, f := range c.pkg.Files {
		for _, m := range f.Methods {
			known[m.Name] = true
		}
	}
	fields := make(map[string]bool)
	for name, s := range c.pkg.Structs {
		known[name] = true
		for _, r := range s.Rows {
			fields[r.Go] = true
		}
	}
	for _, line := range c.file.Example {
		for _, m := range selected.FindAllStringSubmatch(line, -1) {
			if (m[1] == c.pkg.Name || m[1] == "client") && !known[m[2]] && !c.pkg.Hand[m[2]] {
				c.fail(c.file.line, "the example has %s, which does not exist", m[0])
			}
		}
		for _, m := range keyed.FindAllStringSubmatch(line, -1) {
			if !fields[m[1]] {
				c.fail(c.file.line, "the example has a field %s, which does not exist", m[1])
			}
		}
		if call := called.FindStringSubmatch(line); len(call) > 0 && !known[call[1]] {
			c.fail(c.file.line, "the example calls %s, which does not exist", call[1])
		}
	}
}
