package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// The operations of control frames that this package knows by name. Others, such
// as "order.create", pass through as they are.
const (
	OpPing        = "ping"
	OpPong        = "pong"
	OpSubscribe   = "subscribe"
	OpUnsubscribe = "unsubscribe"
	OpAuth        = "auth"

	// OpCommand is the Op of a Reply of option and spread: their
	// acknowledgements name the topics but not the operation.
	OpCommand = "COMMAND_RESP"
)

// ErrNotControl is the error of ParseRequest and ParseReply for a frame that is
// JSON but no control frame: no object, or a data frame.
var ErrNotControl = errors.New("wire: not a control frame")

// Request is what a client sends, on any channel.
type Request struct {
	Op    string // OpPing, OpSubscribe, OpUnsubscribe, OpAuth or an order operation
	ReqID string // echoed by the server; empty if none was sent

	// Args holds one entry per argument: a topic, a part of auth, or the JSON
	// text of an object for order operations. The second argument of auth is
	// a time in Unix milliseconds; it is a number on the wire and its digits
	// here. Numbers anywhere else are taken as their text too.
	Args []string

	// Trade selects the trade channel's spelling: reqId, and Header before op.
	// ParseRequest sets it when it meets either.
	Trade  bool
	Header json.RawMessage // X-BAPI-TIMESTAMP and its like; trade only
}

// AppendRequest appends the request as compact JSON: req_id, op, args, each left
// out when empty; reqId, header, op, args on trade. The venue's own examples use
// this order for pings, subscriptions and orders.
func AppendRequest(dst []byte, r *Request) []byte {
	dst = append(dst, '{')
	if r.ReqID != "" {
		name := `"req_id":`
		if r.Trade {
			name = `"reqId":`
		}
		dst = append(dst, name...)
		dst = AppendString(dst, r.ReqID)
		dst = append(dst, ',')
	}
	if len(r.Header) > 0 {
		dst = append(dst, `"header":`...)
		dst = append(dst, r.Header...)
		dst = append(dst, ',')
	}
	dst = append(dst, `"op":`...)
	dst = AppendString(dst, r.Op)
	if len(r.Args) > 0 {
		dst = append(dst, `,"args":[`...)
		for i, arg := range r.Args {
			if i > 0 {
				dst = append(dst, ',')
			}
			if isRawArg(r.Op, i, arg) {
				dst = append(dst, arg...)
			} else {
				dst = AppendString(dst, arg)
			}
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// isRawArg reports whether an argument is written as it is and not as a string:
// the time in auth, and the objects of order operations.
func isRawArg(op string, i int, arg string) bool {
	switch op {
	case OpSubscribe, OpUnsubscribe, OpPing:
		return false
	case OpAuth:
		return i == 1 && isDigits(arg) && len(arg) <= 19 && (arg == "0" || arg[0] != '0')
	}
	// Only compact text is an object: a string that looks like one but has
	// space in it would not come back the same.
	return len(arg) > 1 && arg[0] == '{' && string(compact(json.RawMessage(arg))) == arg
}

// ParseRequest reads a client's frame. Clients in the wild send a numeric
// req_id, a string or a number as auth's time, null for what they leave out and
// keys of their own: the first two come back as text, the rest is ignored. The
// error is ErrNotControl for an array or a bare value and a *json.SyntaxError or
// *json.UnmarshalTypeError for anything else that is no request; the answer to
// give is MalformedMessage. A frame without "op" parses with an empty Op.
func ParseRequest(frame []byte) (Request, error) {
	fields, err := parseObject(frame)
	if err != nil {
		return Request{}, err
	}
	var r Request
	if r.Op, err = textField(fields, "op"); err != nil {
		return Request{}, err
	}
	if r.ReqID, err = textField(fields, "req_id"); err != nil {
		return Request{}, err
	}
	switch id, err := textField(fields, "reqId"); {
	case err != nil:
		return Request{}, err
	case id != "":
		r.Trade, r.ReqID = true, id
	}
	if header := fields["header"]; isObject(header) {
		r.Trade, r.Header = true, compact(header)
	}
	if r.Args, err = listField(fields, "args"); err != nil {
		return Request{}, err
	}
	return r, nil
}

// Reply is what a server answers, on any channel. Its wire form depends on the
// family.
type Reply struct {
	// Op is the operation that is answered, or OpPong, or OpCommand where the
	// frame does not say (option and spread).
	Op      string
	Success bool

	// Code is the trade channel's retCode; 0 is success. The other families
	// have none.
	Code int

	// Message is ret_msg or retMsg. It is empty where the text is fixed:
	// "subscribe" on spot, "pong", and "OK" on trade.
	Message string

	ReqID  string
	ConnID string

	// Failed and Succeeded are the verdicts per topic of option and spread.
	Failed, Succeeded []string

	// TimeMs is the server's time in a pong, in Unix milliseconds; 0 if the
	// family's pong has none (spot, linear, inverse).
	TimeMs int64

	// Data, ExtInfo and Header are the JSON text of an order reply's data,
	// retExtInfo and header on trade; nil if absent.
	Data, ExtInfo, Header json.RawMessage
}

// AppendReply appends the reply as a channel of the family writes it: compact,
// keys in the venue's order. Fields that the family does not have are left out.
// On trade a Reply without Success and without a Code is written with code
// 10001, so that it cannot read as a success.
func AppendReply(dst []byte, f Family, r *Reply) []byte {
	switch f {
	case FamilyOption:
		return appendOptionReply(dst, r)
	case FamilyPrivate:
		return appendPrivateReply(dst, r)
	case FamilyTrade:
		return appendTradeReply(dst, r)
	}
	op, message := r.Op, r.Message
	switch {
	case op == OpPong:
		op, message = OpPing, OpPong
	case f == FamilySpot && r.Success && message == "":
		message = op
	}
	dst = appendVerdict(dst, r.Success || r.Op == OpPong, message)
	dst = appendField(dst, `,"conn_id":`, r.ConnID)
	// Recordings of 2026 show spot leaving req_id out when none was sent;
	// linear and inverse always have it.
	if f == FamilyFutures || r.ReqID != "" {
		dst = appendField(dst, `,"req_id":`, r.ReqID)
	}
	dst = appendField(dst, `,"op":`, op)
	return append(dst, '}')
}

// appendVerdict opens a reply of the families that say success and ret_msg.
func appendVerdict(dst []byte, success bool, message string) []byte {
	dst = append(dst, `{"success":`...)
	dst = strconv.AppendBool(dst, success)
	return appendField(dst, `,"ret_msg":`, message)
}

// appendOptionReply writes replies of option and spread. A reply with a Message
// or without topics and success is an error that concerns no topic; its form is
// undocumented and follows the acknowledgement's.
func appendOptionReply(dst []byte, r *Reply) []byte {
	if r.Op == OpPong {
		dst = appendArgsMs(append(dst, '{'), `"args":`, r.TimeMs)
		return append(dst, `,"op":"pong"}`...)
	}
	dst = append(dst, `{"success":`...)
	dst = strconv.AppendBool(dst, r.Success)
	if r.Message != "" {
		dst = appendField(dst, `,"ret_msg":`, r.Message)
	}
	dst = appendField(dst, `,"conn_id":`, r.ConnID)
	dst = append(dst, `,"data":{"failTopics":`...)
	dst = appendList(dst, r.Failed)
	dst = append(dst, `,"successTopics":`...)
	dst = appendList(dst, r.Succeeded)
	return append(dst, `},"type":"COMMAND_RESP"}`...)
}

// appendPrivateReply writes replies of private: req_id first and only if one was
// sent, conn_id last.
func appendPrivateReply(dst []byte, r *Reply) []byte {
	dst = append(dst, '{')
	if r.ReqID != "" {
		dst = appendField(dst, `"req_id":`, r.ReqID)
		dst = append(dst, ',')
	}
	if r.Op == OpPong {
		dst = append(dst, `"op":"pong"`...)
		dst = appendArgsMs(dst, `,"args":`, r.TimeMs)
	} else {
		dst = append(dst, `"success":`...)
		dst = strconv.AppendBool(dst, r.Success)
		dst = appendField(dst, `,"ret_msg":`, r.Message)
		dst = appendField(dst, `,"op":`, r.Op)
	}
	dst = appendField(dst, `,"conn_id":`, r.ConnID)
	return append(dst, '}')
}

// appendTradeReply writes replies of trade.
func appendTradeReply(dst []byte, r *Reply) []byte {
	code, message := r.Code, r.Message
	if code == 0 && !r.Success && r.Op != OpPong {
		code = CodeParamError
	}
	if code == 0 && message == "" {
		message = "OK"
	}
	dst = append(dst, '{')
	if r.ReqID != "" {
		dst = appendField(dst, `"reqId":`, r.ReqID)
		dst = append(dst, ',')
	}
	dst = append(dst, `"retCode":`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = appendField(dst, `,"retMsg":`, message)
	dst = appendField(dst, `,"op":`, r.Op)
	switch {
	case r.Op == OpPong:
		dst = appendArgsMs(dst, `,"data":`, r.TimeMs)
	case len(r.Data) > 0:
		dst = append(append(dst, `,"data":`...), r.Data...)
	}
	if len(r.ExtInfo) > 0 {
		dst = append(append(dst, `,"retExtInfo":`...), r.ExtInfo...)
	}
	if len(r.Header) > 0 {
		dst = append(append(dst, `,"header":`...), r.Header...)
	}
	dst = appendField(dst, `,"connId":`, r.ConnID)
	return append(dst, '}')
}

// ParseReply reads a server's control frame of any family; the keys tell which.
// Success is true only where the frame says so: a true "success", a "retCode" of
// 0, or a pong. The error is ErrNotControl for a data frame, a *json.SyntaxError
// or *json.UnmarshalTypeError for a frame that cannot be read.
func ParseReply(frame []byte) (Reply, error) {
	fields, err := parseObject(frame)
	if err != nil {
		return Reply{}, err
	}
	if _, ok := fields["topic"]; ok {
		return Reply{}, ErrNotControl
	}
	var r Reply
	if r.Op, err = textField(fields, "op"); err != nil {
		return Reply{}, err
	}
	kind, err := textField(fields, "type")
	if err != nil {
		return Reply{}, err
	}
	code, isTrade := fields["retCode"]
	switch {
	case isTrade:
		err = r.readTrade(fields, code)
	case kind == OpCommand:
		err = r.readCommand(fields)
	case r.Op == "" && fields["success"] == nil:
		return Reply{}, ErrNotControl
	default:
		err = r.readPlain(fields)
	}
	if err != nil {
		return Reply{}, err
	}
	return r, nil
}

// readVerdict reads what every family but trade says, each key where it is there.
func (r *Reply) readVerdict(fields map[string]json.RawMessage) (err error) {
	if r.Success, err = boolField(fields, "success"); err != nil {
		return err
	}
	if r.Message, err = textField(fields, "ret_msg"); err != nil {
		return err
	}
	if r.ReqID, err = textField(fields, "req_id"); err != nil {
		return err
	}
	r.ConnID, err = textField(fields, "conn_id")
	return err
}

// readPlain reads the replies that say success, ret_msg and op, and the pongs of
// option and private, which say op and args.
func (r *Reply) readPlain(fields map[string]json.RawMessage) error {
	if err := r.readVerdict(fields); err != nil {
		return err
	}
	switch {
	case r.Op == OpPing && r.Message == OpPong:
		r.Op, r.Message = OpPong, ""
	case r.Success && r.Message == r.Op:
		r.Message = ""
	}
	if r.Op == OpPong {
		r.Success, r.Message = true, ""
		r.TimeMs = timeField(fields, "args")
	}
	return nil
}

// readCommand reads the acknowledgements of option and spread.
func (r *Reply) readCommand(fields map[string]json.RawMessage) error {
	if r.Op == "" {
		r.Op = OpCommand
	}
	if err := r.readVerdict(fields); err != nil {
		return err
	}
	data := fields["data"]
	if !isObject(data) {
		return nil
	}
	inner, err := parseObject(data)
	if err != nil {
		return err
	}
	if r.Failed, err = listField(inner, "failTopics"); err != nil {
		return err
	}
	r.Succeeded, err = listField(inner, "successTopics")
	return err
}

// readTrade reads the replies of trade.
func (r *Reply) readTrade(fields map[string]json.RawMessage, code json.RawMessage) (err error) {
	if r.Code, err = intValue("retCode", code); err != nil {
		return err
	}
	r.Success = r.Code == 0
	if r.Message, err = textField(fields, "retMsg"); err != nil {
		return err
	}
	if r.Success && r.Message == "OK" {
		r.Message = ""
	}
	if r.ReqID, err = textField(fields, "reqId"); err != nil {
		return err
	}
	if r.ConnID, err = textField(fields, "connId"); err != nil {
		return err
	}
	if r.Op == OpPong {
		r.TimeMs = timeField(fields, "data")
	} else {
		r.Data = compact(fields["data"])
	}
	r.ExtInfo, r.Header = compact(fields["retExtInfo"]), compact(fields["header"])
	return nil
}

// parseObject splits a JSON object into its fields. A key that comes twice has
// its last value.
func parseObject(frame []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(frame, &fields); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, ErrNotControl
		}
		return nil, fmt.Errorf("wire: control frame: %w", err)
	}
	if fields == nil { // the frame is null
		return nil, ErrNotControl
	}
	return fields, nil
}

// textField returns a field that should be a string. Numbers and booleans come
// back as their text, null and absence as "".
func textField(fields map[string]json.RawMessage, name string) (string, error) {
	return textValue(name, fields[name])
}

// textValue returns the text of one JSON value that should be a string.
func textValue(name string, raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	switch raw[0] {
	case '{', '[':
		return "", typeError(name, raw, "string")
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", fmt.Errorf("wire: %s: %w", name, err)
		}
		return s, nil
	}
	return string(raw), nil
}

// boolField returns a field that should be a boolean; absence is false.
func boolField(fields map[string]json.RawMessage, name string) (bool, error) {
	switch raw := fields[name]; string(raw) {
	case "true":
		return true, nil
	case "", "false", "null":
		return false, nil
	default:
		return false, typeError(name, raw, "boolean")
	}
}

// intValue returns a JSON value that should be a whole number, perhaps quoted.
func intValue(name string, raw json.RawMessage) (int, error) {
	s, err := textValue(name, raw)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, typeError(name, raw, "number")
	}
	return int(n), nil
}

// listField returns a field that should be an array of strings: numbers as their
// text, objects as their compact JSON.
func listField(fields map[string]json.RawMessage, name string) ([]string, error) {
	raw := fields[name]
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if raw[0] != '[' {
		return nil, typeError(name, raw, "array")
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, fmt.Errorf("wire: %s: %w", name, err)
	}
	if len(items) == 0 {
		return nil, nil
	}
	list := make([]string, len(items))
	for i, item := range items {
		if item[0] == '{' || item[0] == '[' {
			list[i] = string(compact(item))
			continue
		}
		s, err := textValue(name, item)
		if err != nil {
			return nil, err
		}
		list[i] = s
	}
	return list, nil
}

// timeField returns the time of a pong: the first entry of an array, Unix
// milliseconds as string or number. Anything else is 0: a pong is a pong.
func timeField(fields map[string]json.RawMessage, name string) int64 {
	list, err := listField(fields, name)
	if err != nil || len(list) == 0 {
		return 0
	}
	ms, err := strconv.ParseInt(list[0], 10, 64)
	if err != nil || ms < 0 {
		return 0
	}
	return ms
}

// typeError is the error about a JSON value of the wrong sort.
func typeError(name string, raw json.RawMessage, want string) error {
	got := "value"
	switch raw[0] {
	case '{':
		got = "object"
	case '[':
		got = "array"
	case '"':
		got = "string"
	}
	return fmt.Errorf("wire: %s is no %s: %w", name, want, &json.UnmarshalTypeError{Value: got, Field: name})
}

// isObject reports whether a JSON value, without space around it, is an object.
func isObject(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '{' }

// compact returns a JSON value without insignificant space, in memory of its
// own; nil for an absent value or null.
func compact(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return nil
	}
	return b.Bytes()
}

// appendField appends a key with its punctuation and a string.
func appendField(dst []byte, key, value string) []byte {
	return AppendString(append(dst, key...), value)
}

// appendList appends an array of strings.
func appendList(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, s)
	}
	return append(dst, ']')
}

// appendArgsMs appends a key and a pong's time, an array with one string.
func appendArgsMs(dst []byte, key string, ms int64) []byte {
	dst = append(append(dst, key...), `["`...)
	dst = strconv.AppendInt(dst, ms, 10)
	return append(dst, `"]`...)
}
