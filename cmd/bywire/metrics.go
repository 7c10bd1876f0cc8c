package main

import (
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/bywire/bywire/capture"
	"github.com/bywire/bywire/exchange"
)

// metricsFlag adds --metrics.
func metricsFlag(cmd *cobra.Command, target *string) {
	cmd.Flags().StringVar(target, "metrics", "", "`ADDR` to serve Prometheus metrics on, such as 127.0.0.1:9100; docs/metrics.md lists them")
}

// meter serves the metrics of one run: http://ADDR/metrics and nothing else. Its
// registry is its own. A nil meter does nothing, so that commands need not ask
// whether there is one.
//
// What happens per message is counted by the goroutine that takes the messages,
// see streamMeter. All else is read when somebody asks for the metrics.
type meter struct {
	registry *prometheus.Registry
	server   *http.Server
	addr     string
	served   chan struct{} // closed when the server has ended

	byKind   bool // many topics: those of a kind share a label
	delay    *prometheus.HistogramVec
	negative *prometheus.CounterVec
	gaps     *prometheus.CounterVec
	streams  *streamCollector
}

// maxTopicLabels is how many topics have a label value of their own. Each makes
// some twenty series.
const maxTopicLabels = 200

// delayBuckets are the bounds of the delays, in seconds: from a machine next to
// the venue to a link that is as good as broken.
var delayBuckets = [...]float64{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30}

// startMeter listens, if there is an address, before anything else is opened.
// topics is how many there will be. protect, unless nil, stands before the server.
func (a *app) startMeter(addr string, topics int, protect func(http.Handler) http.Handler) (*meter, error) {
	if addr == "" {
		return nil, nil
	}
	addr, err := localAddress("--metrics", addr)
	if err != nil {
		return nil, err
	}
	listener, err := listen("--metrics", addr)
	if err != nil {
		return nil, err
	}
	m := newMeter(topics)
	m.addr = listener.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	m.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	if protect != nil {
		m.server.Handler = protect(mux)
	}
	m.served = make(chan struct{})
	go func() {
		defer close(m.served)
		if err := m.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.say("--metrics %s: %v", m.addr, err)
		}
	}()
	a.say("metrics on http://%s/metrics", reachable(m.addr))
	return m, nil
}

// newMeter returns a meter that nobody can ask yet.
func newMeter(topics int) *meter {
	m := &meter{registry: prometheus.NewRegistry(), byKind: topics > maxTopicLabels}
	m.delay = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "bywire_delay_seconds", Help: "From a message's ts to its receipt, by our clock.", Buckets: delayBuckets[:],
	}, []string{"channel", "topic"})
	m.negative = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bywire_delay_negative_total", Help: "Messages received before their own ts: the clocks differ.",
	}, []string{"channel", "topic"})
	m.gaps = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bywire_gaps_total", Help: "Gaps, by topic and occasion.",
	}, []string{"channel", "reason"})
	m.streams = &streamCollector{}
	m.registry.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(
			collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)})),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// close ends the server, and the answers that it is giving.
func (m *meter) close() {
	if m == nil {
		return
	}
	m.server.Close()
	<-m.served
}

// recorder adds the metrics of a recorder.
func (m *meter) recorder(stats func() capture.WriterStats, clock *clockWatch) {
	if m == nil {
		return
	}
	counter := func(name, help string, value func(capture.WriterStats) int64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(value(stats())) }))
	}
	before := stats().Records
	counter("bywire_record_records_total", "Records that the capture took: messages, gaps, notes.",
		func(s capture.WriterStats) int64 { return int64(s.Records - before) })
	counter("bywire_record_data_bytes_total", "Bytes of messages that the capture took, unpacked.",
		func(s capture.WriterStats) int64 { return s.Data })
	counter("bywire_record_written_bytes_total", "Bytes written to the capture's open segments.",
		func(s capture.WriterStats) int64 { return s.Written })
	counter("bywire_record_synced_bytes_total", "Of the bytes written, those known to be on disk.",
		func(s capture.WriterStats) int64 { return s.Synced })
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "bywire_record_at_risk_records", Help: "Records that a crash would lose now.",
		}, func() float64 { s := stats(); return float64(s.Records - s.Saved) }),
		&clockCollector{clock: clock, desc: prometheus.NewDesc("bywire_clock_offset_seconds",
			"The venue's clock minus ours, as last measured; absent before.", nil, nil)},
	)
}

// clockCollector gives the clock's offset once there is one.
type clockCollector struct {
	clock *clockWatch
	desc  *prometheus.Desc
}

func (c *clockCollector) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

func (c *clockCollector) Collect(to chan<- prometheus.Metric) {
	if c.clock.known.Load() {
		offset := time.Duration(c.clock.offset.Load())
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, offset.Seconds())
	}
}

// replay adds the metrics of a replay.
func (m *meter) replay(stats func() capture.ReplayStats) {
	if m == nil {
		return
	}
	counter := func(name, help string, value func(capture.ReplayStats) int64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(value(stats())) }))
	}
	counter("bywire_replay_published_frames_total", "Recorded messages whose turn came, subscribed or not.",
		func(s capture.ReplayStats) int64 { return s.Published })
	counter("bywire_replay_sent_frames_total", "Messages sent: one counts once for each subscriber.",
		func(s capture.ReplayStats) int64 { return s.Sent })
	counter("bywire_replay_sent_bytes_total", "Bytes of the messages sent.",
		func(s capture.ReplayStats) int64 { return s.SentBytes })
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "bywire_replay_sessions", Help: "Connections that are open.",
	}, func() float64 { return float64(stats().Sessions) }))
}

// exchange adds the metrics of a local exchange.
func (m *meter) exchange(stats func() exchange.Stats) {
	if m == nil {
		return
	}
	m.registry.MustRegister(&exchangeCollector{stats: stats})
}

// exchangeCollector asks the exchange once for all of its metrics, so that they are of one moment.
type exchangeCollector struct{ stats func() exchange.Stats }

// exchangeMetrics is the table of an exchange's metrics.
var exchangeMetrics = []struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*exchange.Stats) float64
}{
	{exchangeDesc("sessions", "Connections that are open."), prometheus.GaugeValue,
		func(s *exchange.Stats) float64 { return float64(s.Sessions) }},
	{exchangeDesc("time_seconds", "The exchange's time, in Unix seconds."), prometheus.GaugeValue,
		func(s *exchange.Stats) float64 { return float64(s.Time.UnixNano()) / 1e9 }},
	{exchangeDesc("lag_seconds", "How far the exchange's time is behind its clock, in its own seconds."), prometheus.GaugeValue,
		func(s *exchange.Stats) float64 { return s.Lag.Seconds() }},
	{exchangeDesc("orders_total", "Orders placed, amended and cancelled, by anybody."), prometheus.CounterValue,
		func(s *exchange.Stats) float64 { return float64(s.Orders) }},
	{exchangeDesc("trades_total", "Matches."), prometheus.CounterValue,
		func(s *exchange.Stats) float64 { return float64(s.Trades) }},
	{exchangeDesc("commands_total", "Commands from outside of the market."), prometheus.CounterValue,
		func(s *exchange.Stats) float64 { return float64(s.Commands) }},
	{exchangeDesc("sent_frames_total", "Messages sent: one counts once for each subscriber."), prometheus.CounterValue,
		func(s *exchange.Stats) float64 { return float64(s.Frames) }},
	{exchangeDesc("sent_bytes_total", "Bytes of the messages sent."), prometheus.CounterValue,
		func(s *exchange.Stats) float64 { return float64(s.Bytes) }},
	{exchangeDesc("requests_total", "Requests over REST."), prometheus.CounterValue,
		func(s *exchange.Stats) float64 { return float64(s.Requests) }},
	{exchangeDesc("faults", "Faults that are in force."), prometheus.GaugeValue,
		func(s *exchange.Stats) float64 { return float64(s.Faults) }},
}

func exchangeDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("bywire_exchange_"+name, help, nil, nil)
}

func (c *exchangeCollector) Describe(to chan<- *prometheus.Desc) {
	for _, m := range exchangeMetrics {
		to <- m.desc
	}
}

func (c *exchangeCollector) Collect(to chan<- prometheus.Metric) {
	s := c.stats()
	for _, m := range exchangeMetrics {
		to <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&s))
	}
}
