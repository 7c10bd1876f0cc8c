package wire

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Codes of the trade channel's replies to auth and requests. V5 pages
// websocket/trade/guideline and error.
const (
	CodeParamError   = 10001 // a parameter is missing or wrong
	CodeInvalidSign  = 10004 // auth's signature is wrong
	CodeIPRateLimit  = 10403 // more than 3,000 requests a second from one address
	CodeOpNotFound   = 10404 // no such operation, or none for the category
	CodeRepeatedAuth = 20001 // the connection has been authenticated before
	CodeDuplicateID  = 20006 // the reqId was used before
)

// MessageOfCode is the text of retMsg for those codes; "" for others.
func MessageOfCode(code int) string {
	switch code {
	case 0:
		return "OK"
	case CodeParamError:
		return "param error"
	case CodeInvalidSign:
		return MessageInvalidSign
	case CodeIPRateLimit:
		return "exceed IP rate limit. 3000 requests per second per IP"
	case CodeOpNotFound:
		return "op type is not found"
	case CodeRepeatedAuth:
		return "repeat auth"
	case CodeDuplicateID:
		return "reqId is duplicated"
	}
	return ""
}

// The texts of ret_msg in replies that refuse. They come from public logs of the
// live venue: the documentation shows no refusal.
const (
	MessageInvalidOp       = "error:invalid op"
	MessageParams          = "Params Error"           // seen on a demo host; here for requests without arguments
	MessageUnauthorized    = "Request not authorized" // to topics before auth; undocumented, ours
	MessageInvalidSign     = "invalid sign"           // to auth; documented for trade, taken for private too
	messageNotFound        = "error:handler not found,topic:"
	messageSubscribed      = "error:already subscribed,topic:"
	messageInvalidSymbol   = "Invalid symbol :["
	messageArgsSize        = "args size >"
	messageArgsLength      = "args length >"
	messageMalformedPrefix = "Failed to decode incoming data:"
)

// MessageNotFound is the text that refuses a topic that does not exist.
func MessageNotFound(topic string) string { return messageNotFound + topic }

// MessageNoTopic is the text by which a channel refuses a topic that it does not
// have: spot tells a symbol that it does not list from a topic that does not
// exist, the other channels do not.
func MessageNoTopic(ch Channel, topic string) string {
	if ch == Spot {
		if t, err := ParseTopic(topic); err == nil && t.CheckOn(ch) == nil {
			return MessageInvalidSymbol(topic)
		}
	}
	return MessageNotFound(topic)
}

// MessageAlreadySubscribed is the text that refuses a second subscription of a
// topic on one connection.
func MessageAlreadySubscribed(topic string) string { return messageSubscribed + topic }

// MessageInvalidSymbol is the text by which spot refuses a topic whose form is
// right and whose symbol it does not list.
func MessageInvalidSymbol(topic string) string { return messageInvalidSymbol + topic + "]" }

// MessageArgsSize is the text that refuses a request with too many arguments.
func MessageArgsSize(limit int) string { return messageArgsSize + strconv.Itoa(limit) }

// MessageArgsLength is the text that refuses a request whose topics would bring
// the connection over its limit of characters. It is undocumented and ours, in
// the words of MessageArgsSize.
func MessageArgsLength(limit int) string { return messageArgsLength + strconv.Itoa(limit) }

// MessageMalformed is the text that refuses a frame that is no JSON object. The
// venue answers and keeps the connection. Its words name the byte that it
// stumbled over and quote what is around it.
func MessageMalformed(frame []byte) string {
	i := skipSpace(frame, 0)
	if i < len(frame) && frame[i] != '{' && frame[i] != 'n' {
		return messageMalformedPrefix + "readObjectStart: expect { or n, but found " + printable(frame[i:i+1]) +
			around(frame, i+1)
	}
	return messageMalformedPrefix + "unexpected end or value" + around(frame, len(frame))
}

// around quotes ten and fifty bytes on either side of a position.
func around(frame []byte, at int) string {
	near := frame[max(at-10, 0):min(at+10, len(frame))]
	far := frame[max(at-50, 0):min(at+50, len(frame))]
	return ", error found in #" + strconv.Itoa(min(at, 10)) + " byte of ...|" + printable(near) +
		"|..., bigger context ...|" + printable(far) + "|..."
}

// printable is bytes as text for a message; what is no UTF-8 becomes U+FFFD.
func printable(b []byte) string {
	return strings.ToValidUTF8(string(b), string(utf8.RuneError))
}

// Refusal says why a request or a topic was refused.
type Refusal uint8

// The refusals that a client tells apart.
const (
	RefusalNone         Refusal = iota // it was not refused
	RefusalNotFound                    // no such topic
	RefusalSubscribed                  // subscribed already: as good as a success
	RefusalSymbol                      // the symbol is not listed
	RefusalArgsSize                    // too many arguments in one request
	RefusalOp                          // no such operation
	RefusalUnauthorized                // auth is missing
	RefusalSign                        // auth's signature is wrong
	RefusalRepeated                    // the connection is authenticated already
	RefusalParams                      // the arguments are missing or wrong
	RefusalMalformed                   // the frame was no request
	RefusalOther                       // a text that is not known here
)

// Refused says why the reply refuses a request and which topic it blames, if it
// names one. On spot, linear, inverse and private one bad topic refuses the
// whole request: the others have to be asked for again. Option and spread refuse
// per topic in Failed; the refusal is then RefusalNone unless nothing succeeded.
func (r *Reply) Refused() (why Refusal, topic string) {
	if r.Success {
		return RefusalNone, ""
	}
	switch r.Code {
	case 0:
	case CodeParamError:
		return RefusalParams, ""
	case CodeInvalidSign:
		return RefusalSign, ""
	case CodeOpNotFound:
		return RefusalOp, ""
	case CodeRepeatedAuth:
		return RefusalRepeated, ""
	default:
		return RefusalOther, ""
	}
	if r.Op == OpCommand && r.Message == "" {
		if len(r.Succeeded) > 0 {
			return RefusalNone, ""
		}
		if len(r.Failed) == 1 {
			return RefusalNotFound, r.Failed[0]
		}
		return RefusalOther, ""
	}
	return RefusalOf(r.Message)
}

// RefusalOf reads a ret_msg: what it complains about, and the topic it names.
func RefusalOf(message string) (why Refusal, topic string) {
	if topic, ok := strings.CutPrefix(message, messageNotFound); ok {
		return RefusalNotFound, topic
	}
	if topic, ok := strings.CutPrefix(message, messageSubscribed); ok {
		return RefusalSubscribed, topic
	}
	if topic, ok := strings.CutPrefix(message, messageInvalidSymbol); ok {
		return RefusalSymbol, strings.TrimSuffix(topic, "]")
	}
	switch {
	case strings.HasPrefix(message, "error:handler not found"):
		return RefusalNotFound, ""
	case strings.HasPrefix(message, "error:already subscribed"):
		return RefusalSubscribed, ""
	case strings.HasPrefix(message, messageArgsSize), strings.HasPrefix(message, messageArgsLength):
		return RefusalArgsSize, ""
	case message == MessageInvalidOp:
		return RefusalOp, ""
	case message == MessageUnauthorized:
		return RefusalUnauthorized, ""
	case message == MessageInvalidSign:
		return RefusalSign, ""
	case message == MessageParams:
		return RefusalParams, ""
	case strings.HasPrefix(message, messageMalformedPrefix):
		return RefusalMalformed, ""
	}
	return RefusalOther, ""
}

// skipSpace returns the position of the first byte from i on that is no JSON
// space, len(b) if there is none.
func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}
