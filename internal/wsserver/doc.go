// Package wsserver is the server half of a V5 WebSocket: it turns an HTTP request into a Session, answers control
// frames as the channel's family does, and fans published frames out to the sessions that subscribed. The replay server
// stands on it, and every other server of the project will; what differs between them is a Source.
//
//	           Subscribe, Unsubscribe, Closed                      Publish
//	request ─▶ Session.read ─────────────────▶ Source ─▶ Topic ─────────────▶ queue ─▶ Session.write ─▶ socket
//	           one goroutine each               one goroutine     one frame,    bounded,  runs while
//	           ping, limits, duplicates         decides and       shared        per       something
//	           and errors end here              publishes                       session   is queued
//
// What a Source may rely on:
//   - A subscribe request reaches it whole, after the checks that need no source, and is answered once by
//     Subscription.Answer. That call queues the acknowledgement, then the initial frames, and joins the topics; what the
//     same goroutine publishes next follows without a hole. So a source with one goroutine is atomic by construction.
//   - Unsubscribe has left the topics before the source hears of it, and is acknowledged after the source returned.
//   - Closed comes last, once per session, when its other calls have returned.
//
// What a client may rely on: frames of one connection arrive in the order they were queued; the acknowledgement comes
// before the first data of its topics; nothing is dropped without the end of the connection, except frames that
// a later one replaces (policy Conflate).
//
// A frame is encoded once, header included, and shared by all queues. Each session has its own bounded queue (1 MiB by
// default); its writer gathers what has queued up, to 64 KiB, and hands it to the kernel in one write. The writer is a
// goroutine that exists while there is something to write, so an idle connection costs its reader: a stack, 1 KiB of
// buffer and a few hundred bytes of state. What happens to a consumer that falls behind is a value, Slow: it is
// cut, it sets the pace, or its queue is conflated. Other consumers do not notice, except under Pause.
//
// A server whose clock is its own waits for its clients: WaitSent until what was published is on their sockets, WaitIdle
// until they have dealt with it. Limits bounds how many connections an address may have and open. One that misbehaves on
// purpose sends to single sessions, cuts and throttles them, and is deaf to requests (fault.go).
//
// What it does not do: decode data frames, or know which topics exist. Choices where the venue's
// behaviour is not documented are marked "choice" where they are made and collected in docs/fidelity.md.
package wsserver
