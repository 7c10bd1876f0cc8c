package bybit

import (
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// SystemStatusMessage is a push of system.status: maintenance that was
// announced, began or ended. V5 page: websocket/system/system-status.
type SystemStatusMessage struct {
	Topic        Topic     // system.status
	Time         time.Time // ts: when the frame was made
	Maintenances []Maintenance
}

// Maintenance is one announced incident or maintenance of the venue. The
// numbers are the venue's codes: an enumeration each, on the page.
type Maintenance struct {
	ID           string
	Title        string
	State        string // "scheduled", "ongoing", "completed", "canceled"; unknown values survive
	Begin, End   time.Time
	Href         string  // page with details, may be ""
	ServiceTypes []int64 // which services: 1 trading over REST, 2 trading over WebSocket, ...
	Products     []int64 // product: 1 futures, 2 spot, 3 option, 4 spread
	UIDSuffixes  []int64 // uidSuffix: last digits of the affected users, empty for all
	MaintainType int64   // 1 planned, 2 temporary, 3 incident
	Env          int64   // 1 production, 2 production demo
}

// maintenanceKeys are the keys of Maintenance. It is never written.
var maintenanceKeys = []string{"id", "title", "state", "begin", "end", "href", "serviceTypes", "product", "uidSuffix", "maintainType", "env"}

// Decode reads a frame of the topic, into the memory of m.Maintenances.
func (m *SystemStatusMessage) Decode(frame []byte) error {
	*m = SystemStatusMessage{Topic: m.Topic, Maintenances: m.Maintenances[:0]}
	e := newEnvelope(wantNoType)
	err := decodeTolerant(&e, frame, func(c *wire.Cursor) {
		var a wire.Array
		for c.NextElement(&a) {
			m.Maintenances = append(m.Maintenances, readMaintenance(c))
		}
	}, "system.status")
	if err != nil {
		return err
	}
	keepTopic(&m.Topic, e.topic)
	m.Time = millis(e.time)
	return nil
}

// readMaintenance reads one element of data.
func readMaintenance(c *wire.Cursor) (v Maintenance) {
	readFields(c, maintenanceKeys, func(key int) {
		switch maintenanceKeys[key] {
		case "id":
			v.ID = string(c.TextOrNumber())
		case "title":
			v.Title = string(c.Text())
		case "state":
			v.State = string(c.Text())
		case "begin":
			v.Begin = c.Millis()
		case "end":
			v.End = c.Millis()
		case "href":
			v.Href = string(c.Text())
		case "serviceTypes":
			v.ServiceTypes = readIntegers(c)
		case "product":
			v.Products = readIntegers(c)
		case "uidSuffix":
			v.UIDSuffixes = readIntegers(c)
		case "maintainType":
			v.MaintainType, _ = c.Integer()
		case "env":
			v.Env, _ = c.Integer()
		}
	})
	return v
}

// AppendJSON appends the message as the venue writes it.
func (m *SystemStatusMessage) AppendJSON(dst []byte, _ Channel) []byte {
	h := header{topic: m.Topic.name, time: m.Time}
	dst = append(h.before(dst, orderTimeOnly), '[')
	for i := range m.Maintenances {
		v := &m.Maintenances[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = wire.AppendString(append(dst, `{"id":`...), v.ID)
		dst = wire.AppendString(append(dst, `,"title":`...), v.Title)
		dst = wire.AppendString(append(dst, `,"state":`...), v.State)
		dst = wire.AppendMillisString(append(dst, `,"begin":`...), v.Begin)
		dst = wire.AppendMillisString(append(dst, `,"end":`...), v.End)
		dst = wire.AppendString(append(dst, `,"href":`...), v.Href)
		dst = appendIntegers(append(dst, `,"serviceTypes":`...), v.ServiceTypes)
		dst = appendIntegers(append(dst, `,"product":`...), v.Products)
		dst = appendIntegers(append(dst, `,"uidSuffix":`...), v.UIDSuffixes)
		dst = wire.AppendInt(append(dst, `,"maintainType":`...), v.MaintainType)
		dst = wire.AppendInt(append(dst, `,"env":`...), v.Env)
		dst = append(dst, '}')
	}
	return h.after(append(dst, ']'), orderTimeOnly)
}

// readIntegers reads an array of whole numbers; nil if it is empty.
func readIntegers(c *wire.Cursor) (list []int64) {
	var a wire.Array
	for c.NextElement(&a) {
		v, _ := c.Integer()
		list = append(list, v)
	}
	return list
}

// appendIntegers appends an array of whole numbers.
func appendIntegers(dst []byte, list []int64) []byte {
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = wire.AppendInt(dst, v)
	}
	return append(dst, ']')
}
