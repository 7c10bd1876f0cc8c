// Package capture stores what was said on WebSocket connections, byte for byte
// and with nanosecond receive times, and reads it again.
//
// A capture is a directory of numbered segments. One segment is open and grows;
// full ones are sealed: rewritten compressed, with a dictionary and an index.
//
//	capture/
//	  lock                 held by the one writer
//	  0000000001.seg       sealed
//	  0000000002.open      full, about to be sealed
//	  0000000003.open      being written
//
// A Writer takes a Record (a frame with its direction, connection and receive
// time; also connects, disconnects, gaps, clock offsets), a Reader yields the
// same records in the same order, from any point in time:
//
//	r, err := capture.OpenReader(dir)
//	for rec, err := range r.Records(from, to) {
//		if d := capture.AsDamage(err); d != nil {
//			continue // says what was lost; the records after it are whole
//		} else if err != nil {
//			return err
//		}
//		use(rec.Channel, rec.Received, rec.Data)
//	}
//
// What holds:
//
//   - At most WriterOptions.AtRisk (one second) of records is lost when the
//     process is killed or the machine stops; what Sync acknowledged never is.
//   - A record that is read is a record that was written. Every block has a
//     checksum; damage costs the records of its block and is reported in place
//     as a *DamageError.
//   - A crash at any moment leaves a capture that reads and resumes. A torn
//     tail is cut with a Notice.
//   - A capture being written can be read.
//   - The arguments of auth requests, and what a URL's query carries besides
//     known harmless settings, are replaced before they reach any buffer
//     (Redact, RedactURL).
//
// Merge makes one capture of two recordings of the same topics, and says what is
// in neither.
//
// What writers and readers do not do: they do not know what frames mean (the only
// content they look at is "op":"auth"), they do not drop or merge records, they do
// not delete segments. The format is docs/capture-format.md, so that programs in
// other languages can read it.
package capture
