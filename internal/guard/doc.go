// Package guard keeps web pages out of a server on loopback. Any page that a developer has open can send requests to
// 127.0.0.1, and with a name that resolves there it can read the answers as well; bots and the command do neither.
//
//	request ─▶ a name of ours?  ─no─▶ 421, else a page could come in through a name of its own (DNS rebinding)
//	           from elsewhere?  ─yes▶ 403, by Origin and Sec-Fetch-Site, WebSocket handshakes too
//	           token            ─no─▶ 401, where one is demanded
//	           body             ─▶ at most MaxBody bytes can be read
//
// No header that would let a page read an answer is ever sent. The size of headers and how long they may take are
// matters of the http.Server around it: Limit sets them.
package guard
