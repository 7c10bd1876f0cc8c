package capture_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/bywire/bywire/capture"
)

// Record a connection and read it back.
func ExampleOpenWriter() {
	dir, err := os.MkdirTemp("", "capture")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	w, err := capture.OpenWriter(dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rec := capture.Record{Conn: w.NextConn(), Channel: "private", URL: "wss://stream.bybit.com/v5/private"}
	for i, step := range []capture.Record{
		{Kind: capture.Connect, Data: []byte("c1")},
		{Kind: capture.Frame, Direction: capture.Out, Data: []byte(`{"op":"auth","args":["key",1767225600000,"signature"]}`)},
		{Kind: capture.Frame, Data: []byte(`{"success":true,"ret_msg":"","op":"auth","conn_id":"c1"}`)},
		{Kind: capture.Disconnect, Data: []byte("closed by us")},
	} {
		rec.Kind, rec.Direction, rec.Data = step.Kind, step.Direction, step.Data
		rec.Received = at.Add(time.Duration(i) * time.Millisecond)
		if err := w.Write(&rec); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	r, err := capture.OpenReader(dir)
	if err != nil {
		log.Fatal(err)
	}
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if d := capture.AsDamage(err); d != nil {
			log.Print(d) // what was lost; the reading goes on
			continue
		} else if err != nil {
			log.Fatal(err)
		}
		fmt.Println(rec.Seq, rec.Received.Format("05.000"), rec.Direction, rec.Kind, string(rec.Data))
	}
	// Output:
	// 1 00.000 in connect c1
	// 2 00.001 out frame {"op":"auth","args":["***","***","***"]}
	// 3 00.002 in frame {"success":true,"ret_msg":"","op":"auth","conn_id":"c1"}
	// 4 00.003 in disconnect closed by us
}
