package bybit

import (
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// SystemStatusMessage is a push of system.status: maintenance that was
// announced, began or ended. V5 page: [websocket/system/system-status].
//
// [websocket/system/system-status]: https://bybit-exchange.github.io/docs/v5/websocket/system/system-status
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
		m.Maintenances = readList(c, m.Maintenances, readMaintenance)
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
			v.ServiceTypes = readList(c, nil, readInteger)
		case "product":
			v.Products = readList(c, nil, readInteger)
		case "uidSuffix":
			v.UIDSuffixes = readList(c, nil, readInteger)
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
	dst = appendList(h.before(dst, orderTimeOnly), m.Maintenances, appendMaintenance)
	return h.after(dst, orderTimeOnly)
}

// appendMaintenance appends one element of data.
func appendMaintenance(dst []byte, v *Maintenance) []byte {
	dst = wire.AppendString(append(dst, `{"id":`...), v.ID)
	dst = wire.AppendString(append(dst, `,"title":`...), v.Title)
	dst = wire.AppendString(append(dst, `,"state":`...), v.State)
	dst = wire.AppendMillisString(append(dst, `,"begin":`...), v.Begin)
	dst = wire.AppendMillisString(append(dst, `,"end":`...), v.End)
	dst = wire.AppendString(append(dst, `,"href":`...), v.Href)
	dst = appendList(append(dst, `,"serviceTypes":`...), v.ServiceTypes, appendInteger)
	dst = appendList(append(dst, `,"product":`...), v.Products, appendInteger)
	dst = appendList(append(dst, `,"uidSuffix":`...), v.UIDSuffixes, appendInteger)
	dst = wire.AppendInt(append(dst, `,"maintainType":`...), v.MaintainType)
	dst = wire.AppendInt(append(dst, `,"env":`...), v.Env)
	return append(dst, '}')
}

// readInteger reads one element of a list of whole numbers.
func readInteger(c *wire.Cursor) int64 {
	v, _ := c.Integer()
	return v
}

// appendInteger appends one element of a list of whole numbers.
func appendInteger(dst []byte, v *int64) []byte { return wire.AppendInt(dst, *v) }
