package bybit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// token is a string, number or word of a frame.
type token struct {
	from, to int
	key      bool
}

// tokens finds the keys and the scalars of a compact frame.
func tokens(frame string) (list []token) {
	for i := 0; i < len(frame); {
		from := i
		switch frame[i] {
		case '{', '}', '[', ']', ',', ':':
			i++
			continue
		case '"':
			for i++; frame[i] != '"'; i++ {
				if frame[i] == '\\' {
					i++
				}
			}
			i++
		default:
			for i < len(frame) && !strings.ContainsRune(",]}", rune(frame[i])) {
				i++
			}
		}
		list = append(list, token{from, i, i < len(frame) && frame[i] == ':'})
	}
	return list
}

// escaped spells each letter of a JSON string as \u00xx.
func escaped(quoted string) string {
	var b strings.Builder
	for _, c := range []byte(strings.Trim(quoted, `"`)) {
		fmt.Fprintf(&b, `\u%04X`, c)
	}
	return `"` + b.String() + `"`
}

// hostileValues stand in for each scalar of each frame in turn.
var hostileValues = []string{
	`""`, `null`, `true`, `false`, `"true"`, `[]`, `{}`, `[[]]`, `{"a":{"b":[1,"\ud83d\ude00",null]}}`,
	`0`, `-0`, `1`, `-1`, `1e5`, `1E+2`, `1.0`, `1.50`, `01`, `+1`, `1.`, `.5`, `1e`, `-`, `0x10`, `NaN`,
	`"0"`, `"-0"`, `"-0.00"`, `"1e5"`, `"1E-3"`, `"01"`, `"+1"`, `"1."`, `".5"`, `" 1"`, `"1 "`, `"--1"`, `"1,5"`,
	`9223372036854775807`, `9223372036854775808`, `-9223372036854775808`, `99999999999999999999`,
	`123456789012345678`, `1234567890123456789`, `"123456789012345678"`, `"1234567890123456789"`, `"12345678901234567890"`,
	`"0.1234567890123456789012345678"`, `"0.12345678901234567890123456789"`, `"9999999999999999999999999999"`,
	`"10000000000000000000000000000"`, `"1e28"`, `"1e999999999"`, `1e999999999`,
	`"\u0031"`, `"\ud800"`, `"\ud83d\ude00"`, `"\udc00\ud800"`, `"\u12"`, `"\x"`, `"a` + "\x01" + `b"`, "\"\xff\xfe\"", `"unterminated`,
	`"snapshot"`, `"delta"`, `"unknown"`, `"Buy"`, `"Sell"`, `"Hold"`, `"2025-12-26T08:00:00Z"`, `"0001-01-01T00:00:00Z"`,
	`"1970-01-01T00:00:00Z"`, `"1969-12-31T23:59:59Z"`, `"0000-01-01T00:00:00+01:00"`, `"9999-12-31T23:59:59-01:00"`, `999999999999999`, `"999999999999999"`,
	`["1","2"]`, `["1"]`, `["1","2","3"]`, `["1","2","3","4"]`, `[["1","2"],null]`, `[["1","2"],[]]`, `[[1,2]]`, `[["1",2,null]]`,
}

// hostileVariants calls f with every frame that is one step away from the given
// one: a scalar replaced, a key escaped, doubled, renamed or dropped, cut, or
// with something behind it.
func hostileVariants(frame string, f func(name, variant string)) {
	for _, tok := range tokens(frame) {
		text, before, after := frame[tok.from:tok.to], frame[:tok.from], frame[tok.to:]
		if tok.key {
			f("escaped key "+text, before+escaped(text)+after)
			f("unknown key for "+text, before+`"zz"`+after)
			f("empty key for "+text, before+`""`+after)
			f("doubled key "+text, before+text+":0,"+text+after)
			f("spaced key "+text, before+text+" \n"+after)
			continue
		}
		if text[0] == '"' {
			f("escaped value "+text, before+escaped(text)+after)
			f("unquoted value "+text, before+strings.Trim(text, `"`)+after)
		} else {
			f("quoted value "+text, before+`"`+text+`"`+after)
		}
		for _, v := range hostileValues {
			f(v+" for "+text, before+v+after)
		}
	}
	for i := range frame {
		f(fmt.Sprintf("cut at %d", i), frame[:i])
		f(fmt.Sprintf("without byte %d", i), frame[:i]+frame[i+1:])
		f(fmt.Sprintf("doubled byte %d", i), frame[:i+1]+frame[i:])
	}
	for _, tail := range []string{"}", "]", ",", "{}", "\x00", frame, " \n", `"`, "null"} {
		f("behind it "+tail, frame+tail)
	}
}

// TestHostileFrames decodes every frame that is one step away from the venue's,
// in the spelling that the template may take and in one that it cannot, into
// messages that were used before. Both must accept the same frames, mean the
// same by them, keep nothing of an earlier frame and nothing of the frame's
// memory, and encode to what decodes to the same.
func TestHostileFrames(t *testing.T) {
	for _, c := range venueFrames {
		t.Run(c.name, func(t *testing.T) {
			used := newMessageFor(t, c.frame)
			hostileVariants(c.frame, func(name, variant string) {
				checkHostile(t, used, c.ch, name, variant)
			})
		})
	}
}

// checkHostile decodes one variant into a message that has been used before.
func checkHostile(t *testing.T, used Message, ch Channel, name, variant string) {
	t.Helper()
	fresh := reflect.New(reflect.TypeOf(used).Elem()).Interface().(Message)
	tolerant := reflect.New(reflect.TypeOf(used).Elem()).Interface().(Message)

	frame := []byte(variant)
	err := used.Decode(frame)
	for i := range frame {
		frame[i] = '#'
	}
	freshErr := fresh.Decode([]byte(variant))
	tolerantErr := tolerant.Decode([]byte(" " + variant))
	if (err == nil) != (freshErr == nil) || (err == nil) != (tolerantErr == nil) {
		t.Errorf("%s:\n%s\nused:     %v\nfresh:    %v\ntolerant: %v", name, variant, err, freshErr, tolerantErr)
		return
	}
	if err != nil {
		checkDecodeError(t, name, variant, err)
		return
	}
	if !json.Valid([]byte(variant)) {
		t.Errorf("%s: decodes what is no JSON: %s", name, variant)
	}
	if !equalMessages(used, fresh) || !equalMessages(used, tolerant) {
		t.Errorf("%s:\n%s\nused:     %s\nfresh:    %s\ntolerant: %s", name, variant,
			used.AppendJSON(nil, ch), fresh.AppendJSON(nil, ch), tolerant.AppendJSON(nil, ch))
	}
	encoded := used.AppendJSON(nil, ch)
	if err := fresh.Decode(encoded); err != nil {
		t.Errorf("%s:\n%s\nencodes to\n%s\n%v", name, variant, encoded, err)
		return
	}
	if again := fresh.AppendJSON(nil, ch); !bytes.Equal(again, encoded) {
		t.Errorf("%s:\n%s\nencodes to\n%s\nand that to\n%s", name, variant, encoded, again)
	}
}

// checkDecodeError wants an error with the bytes and a place in them.
func checkDecodeError(t *testing.T, name, variant string, err error) {
	t.Helper()
	e, ok := errors.AsType[*DecodeError](err)
	if !ok {
		t.Errorf("%s: error is a %T", name, err)
		return
	}
	if string(e.Frame) != variant || e.Offset < 0 || e.Offset > len(variant) {
		t.Errorf("%s: error at %d with frame %q, want one within %q", name, e.Offset, e.Frame, variant)
	}
}

// equalMessages compares all that two messages say, to the representation of
// numbers and the marks of fields; empty and nil lists are the same.
func equalMessages(a, b Message) bool {
	x, y := withoutArena(a), withoutArena(b)
	return reflect.DeepEqual(x, y) || fmt.Sprintf("%+v", x) == fmt.Sprintf("%+v", y)
}
