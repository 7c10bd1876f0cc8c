// Package wire holds what both ends of a Bybit V5 WebSocket share below the
// message types: channels, topics, the tables of depths and limits, and the
// control frames. The client and the servers import it, so they cannot disagree
// about a topic's spelling or about the shape of an acknowledgement.
//
//	Channel   one WebSocket path: "linear" is /v5/public/linear
//	Family    how control frames look on a channel; there are five
//	Topic     a subscription's name in parts: orderbook.50.BTCUSDT is
//	          {KindOrderBook, Depth 50, Symbol "BTCUSDT"}
//	Depth     one number of order book levels: current, retired or unknown
//	Limits    how many arguments a request and a connection may carry
//	Request   what a client sends: ping, subscribe, unsubscribe, auth, orders
//	Reply     what a server answers, written byte for byte as the family does
//
// A frame is either control or data. IsControl tells them apart without
// decoding: data frames have a "topic" at their top level, control frames have
// none. Data frames are types of package bybit; the primitives that read and
// write them, Cursor, the Scan and the Append functions, live here too.
//
// ParseTopic says whether a name is a topic at all; Topic.CheckOn says whether a
// channel has it. The two are apart because recordings and custom servers hold
// what today's venue refuses, such as order books of depth 500. Errors of both
// are a *TopicError and say what would be right. Translate finds the successors
// of the names that V2, V3 and spot V1 used.
//
// The package is pure: values in, values out. It has no goroutine, no clock and
// no state: its tables are never written. The facts follow the V5 documentation
// of July 2026, pages ws/connect, websocket/public/*, websocket/private/* and
// websocket/trade/guideline; where the documentation is silent, the comment says
// so and docs/fidelity.md lists it.
//
// The conversations in testdata/wire show the control frames of every channel;
// package wiretest reads them.
package wire
