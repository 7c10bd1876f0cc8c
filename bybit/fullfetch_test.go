package bybit

import (
	"errors"
	"testing"

	"github.com/bywire/bywire/book"
)

// Who joins while a request is under way takes its reply only if it is a book that is
// not older than what they have.
func TestReplyReaches(t *testing.T) {
	reply := func(seq int64, levels int) fullReply {
		return fullReply{snapshot: &fullSnapshot{Update: book.Update{Seq: seq, Bids: make([]book.Level, levels)}}}
	}
	tests := []struct {
		name  string
		reply fullReply
		from  int64
		want  bool
	}{
		{"newer", reply(51, 1), 50, true},
		{"the same", reply(50, 1), 50, true},
		{"older", reply(49, 1), 50, false},
		{"for who has nothing yet", reply(50, 1), 0, false},
		{"no book", reply(51, 0), 50, false},
		{"no reply", fullReply{err: errors.New("refused")}, 50, false},
	}
	for _, tt := range tests {
		if got := tt.reply.reaches(tt.from); got != tt.want {
			t.Errorf("%s: reaches = %v, want %v", tt.name, got, tt.want)
		}
	}
}
