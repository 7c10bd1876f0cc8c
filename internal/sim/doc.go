// Package sim puts a client under faults and checks what it says against the
// truth. It is for tests.
//
//	srv := sim.New(sim.Config{Seed: 7, Streams: 20})     // an exchange in memory
//	client, err := bybit.NewClient(&bybit.Options{
//		Environment: srv.Environment(), DialContext: srv.Dial(3)})  // the fourth stream's network
//	judge := srv.Judge(3, sim.Rules{})
//	for ev := range stream.Events(ctx) { judge.See(ev) }
//	...
//	for _, f := range sim.Draw(7, 1000, 20) { wait(f.After); srv.Inject(f) }
//	srv.Calm()
//
// The [Server] owns a market: order books of any depth, trades, tickers, and full
// books whose snapshots it serves over REST, changed and pushed on the clock of the
// caller, which in tests is testing/synctest's. It remembers every book that it ever
// showed, by its cross sequence, and every frame that it put on each wire, in order.
//
// A [Fault] is a value: what goes wrong, for whom, for how long. [Draw] makes a
// list of them from a seed; the seed and the number are all it takes to have the
// same list again. synctest fixes time and not scheduling, so a run is repeated in
// its faults and not in every interleaving.
//
// The [Judge] of a stream sees its events in the order in which the user gets
// them, and complains
//   - if a book that can be read differs from the server's at its update id,
//   - if a verified book passed over an update id without a gap,
//   - if an event is not the next one on the wire and no gap stands in between,
//   - if a full book begins anew without a gap, or with a state that no change led to,
//   - if an event was never sent, or comes more often than it was sent,
//   - if a complete ticker differs from the server's,
//   - if a book stays readable after the next event,
//   - at the end, if a topic does not stand where the server stands.
//
// What nobody can notice is not asked for: the server never loses a ticker's
// delta without sending its fields later, since nothing numbers them, and a
// trade that it did not write is missed by nobody.
package sim
