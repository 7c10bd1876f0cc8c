package catalog

import "testing"

func BenchmarkDefault(b *testing.B) {
	for b.Loop() {
		Default(start)
	}
}

func BenchmarkRoll(b *testing.B) {
	c := Default(start)
	w := newWalk(c)
	now := start
	for b.Loop() {
		now = c.NextRoll(now)
		c.Roll(now, w.underlying)
	}
}
