package main

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bywire/bywire/bybit"
)

// streamMeter counts what one stream yields. It belongs to the goroutine that
// takes the events. A nil one does nothing.
type streamMeter struct {
	m       *meter
	channel string
	topics  map[string]*topicMeter
	gaps    map[bybit.GapReason]prometheus.Counter
}

// topicMeter is what is counted per topic, or per kind of topic.
type topicMeter struct {
	delay    prometheus.Observer
	negative prometheus.Counter
}

// stream adds the metrics of a stream.
func (m *meter) stream(sel selection, s *bybit.Stream) *streamMeter {
	if m == nil {
		return nil
	}
	m.streams.add(m, labelOf(string(sel.channel)), s.Stats)
	c := m.channel(sel.channel)
	for _, t := range sel.topics {
		c.topic(t)
	}
	return c
}

// channel returns the meter of a stream without what the stream itself counts.
func (m *meter) channel(ch bybit.Channel) *streamMeter {
	return &streamMeter{m: m, channel: labelOf(string(ch)), topics: make(map[string]*topicMeter), gaps: make(map[bybit.GapReason]prometheus.Counter)}
}

// note counts an event; h is its head.
func (c *streamMeter) note(ev bybit.Event, h *head) {
	if c == nil {
		return
	}
	if gap, ok := ev.(*bybit.GapEvent); ok {
		c.gap(gap.Reason)
		return
	}
	if h.time.IsZero() {
		return // no message, or one that does not say when it was sent
	}
	t := c.topics[h.topic.String()]
	if t == nil {
		t = c.topic(h.topic)
	}
	if d := h.received.Sub(h.time); d >= 0 {
		t.delay.Observe(d.Seconds())
	} else {
		t.negative.Inc()
	}
}

func (c *streamMeter) gap(reason bybit.GapReason) {
	counter := c.gaps[reason]
	if counter == nil {
		counter = c.m.gaps.WithLabelValues(c.channel, string(reason))
		c.gaps[reason] = counter
	}
	counter.Inc()
}

// topic makes the series of a topic.
func (c *streamMeter) topic(t bybit.Topic) *topicMeter {
	label := t.String()
	if c.m.byKind {
		label = strings.TrimSuffix(label, t.Symbol()) + "*"
	}
	label = labelOf(label)
	m := &topicMeter{delay: c.m.delay.WithLabelValues(c.channel, label), negative: c.m.negative.WithLabelValues(c.channel, label)}
	c.topics[t.String()] = m
	return m
}

// labelOf is a text as a label. The library writes quotes and line breaks as it
// should, and panics at what is not UTF-8: the path of a custom channel can be
// anything.
func labelOf(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// streamCollector reads the counters that streams keep by themselves, when the
// metrics are asked for.
type streamCollector struct {
	mu      sync.Mutex // guards streams
	streams []collectedStream
}

type collectedStream struct {
	channel string
	stats   func() bybit.StreamStats
}

// add takes a stream in. The first one registers the metrics of streams.
func (c *streamCollector) add(m *meter, channel string, stats func() bybit.StreamStats) {
	c.mu.Lock()
	c.streams = append(c.streams, collectedStream{channel, stats})
	first := len(c.streams) == 1
	c.mu.Unlock()
	if first {
		m.registry.MustRegister(m.delay, m.negative, m.gaps, c)
	}
}

// streamMetric is one counter or gauge of a stream.
type streamMetric struct {
	name, help string
	kind       prometheus.ValueType
	value      func(*bybit.StreamStats) int
}

// streamMetrics are those that Stats knows. All have the label channel.
func streamMetrics() []streamMetric {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	return []streamMetric{
		{"bywire_frames_total", "Frames received, control frames included.", counter, func(s *bybit.StreamStats) int { return int(s.Frames) }},
		{"bywire_frame_bytes_total", "Bytes of the frames received, without WebSocket headers.", counter, func(s *bybit.StreamStats) int { return int(s.Bytes) }},
		{"bywire_connections", "Connections that are open.", gauge, openConnections},
		{"bywire_reconnects_total", "Connections made in the place of a lost one.", counter, func(s *bybit.StreamStats) int { return s.Reconnects }},
		{"bywire_resyncs_total", "Times that a topic was found to need a new snapshot.", counter, func(s *bybit.StreamStats) int { return int(s.Resyncs) }},
		{"bywire_silent_topics_total", "Times that a topic was silent for longer than expected and was subscribed anew.", counter, func(s *bybit.StreamStats) int { return int(s.Silent) }},
		{"bywire_book_violations_total", "Messages of order books that broke a rule: a skipped update id, a crossed book.", counter, func(s *bybit.StreamStats) int { return int(s.Violations) }},
		{"bywire_dropped_messages_total", "Messages that arrived and were discarded: after a gap, at an overflow.", counter, func(s *bybit.StreamStats) int { return int(s.Dropped) }},
		{"bywire_undecoded_frames_total", "Messages that could not be decoded.", counter, func(s *bybit.StreamStats) int { return int(s.Undecoded) }},
		{"bywire_overflows_total", "Times that the queue was full.", counter, func(s *bybit.StreamStats) int { return int(s.Overflows) }},
		{"bywire_queue_bytes", "What waits in the queue.", gauge, func(s *bybit.StreamStats) int { return s.QueueBytes }},
		{"bywire_topics", "Topics wanted.", gauge, func(s *bybit.StreamStats) int { return s.Topics }},
		{"bywire_accepted_topics", "Topics that the server has accepted, on connections that are open.", gauge, func(s *bybit.StreamStats) int { return s.Accepted }},
		{"bywire_rejected_topics", "Topics that the server refused.", gauge, func(s *bybit.StreamStats) int { return len(s.Rejected) }},
	}
}

// openConnections counts those that are up.
func openConnections(s *bybit.StreamStats) (n int) {
	for i := range s.Connections {
		if s.Connections[i].State == "open" {
			n++
		}
	}
	return n
}

func (m *streamMetric) desc() *prometheus.Desc {
	return prometheus.NewDesc(m.name, m.help, []string{"channel"}, nil)
}

// Describe names the metrics.
func (c *streamCollector) Describe(to chan<- *prometheus.Desc) {
	for _, m := range streamMetrics() {
		to <- m.desc()
	}
}

// Collect reads the streams.
func (c *streamCollector) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	streams := c.streams
	c.mu.Unlock()
	metrics := streamMetrics()
	for _, s := range streams {
		stats := s.stats()
		for i := range metrics {
			m := &metrics[i]
			to <- prometheus.MustNewConstMetric(m.desc(), m.kind, float64(m.value(&stats)), s.channel)
		}
	}
}
