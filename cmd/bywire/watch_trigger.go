package main

import "time"

// judgement is what a rule says at one moment. Undecided is neither true nor
// false: a field is not known.
type judgement uint8

const (
	undecided judgement = iota
	fails
	holds
)

// trigger says when a rule fires for one symbol. It is a value without a clock:
// calls bring the time.
//
//	armed ──rule becomes true, and stays so for hold──▶ fires ──▶ spent
//	  ▲                                                              │
//	  └── the reset rule holds; without one, the rule fails ─────────┘
//
// Undecided changes nothing, except that a hold begins anew: a rule that held
// before a gap and holds after it has not become true.
type trigger struct {
	hold     time.Duration // the rule must hold for so long
	cooldown time.Duration // least time between two firings
	reset    bool          // there is a reset rule
	moment   bool          // the rule is about a trade, which lasts no time

	spent   bool      // has fired, or would have, and was not rearmed
	held    bool      // the last that the rule said, undecided apart
	pending bool      // became true and has not fired yet
	since   time.Time // of pending: when the hold began; zero while undecided
	last    time.Time // of the last firing
	muted   int       // firings that the cooldown has swallowed since
}

// step takes what the rules say now and reports whether the rule fires.
func (t *trigger) step(now time.Time, rule, reset judgement) bool {
	if t.spent && (t.reset && reset == holds || !t.reset && (rule == fails || t.moment)) {
		t.spent = false
	}
	if rule == undecided {
		t.since = time.Time{}
		return false
	}
	became := rule == holds && !t.held
	t.held = rule == holds && !t.moment
	if rule == fails {
		t.pending = false
		return false
	}
	if became && !t.spent {
		t.pending, t.since = true, now
	}
	if !t.pending {
		return false
	}
	if t.since.IsZero() {
		t.since = now
	}
	if now.Sub(t.since) < t.hold {
		return false
	}
	t.pending, t.spent = false, true
	if !t.last.IsZero() && now.Sub(t.last) < t.cooldown {
		t.muted++
		return false
	}
	t.last = now
	return true
}

// wake is when step is to be called even if nothing arrives; zero for never.
func (t *trigger) wake() time.Time {
	if !t.pending || t.since.IsZero() {
		return time.Time{}
	}
	return t.since.Add(t.hold)
}
