package bybit

import "time"

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
