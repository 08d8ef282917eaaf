package admin

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Figures are what is read when somebody asks for metrics.
type Figures struct {
	Invoices  map[[2]string]int // by company and state
	Received  map[[2]string]int
	OldestDue map[string]time.Duration // by company: age of the oldest invoice that may go now
	LastFile  map[string]time.Time     // by company
	Stopped   map[string]bool          // by company
	Owed      int                      // answers not written yet
	GetsToday int
	DiskFree  map[string]uint64 // by path
	Alarms    map[[2]string]int // by kind and subject
}

// Metrics counts what happens. Make it with NewMetrics.
type Metrics struct {
	events    *prometheus.CounterVec
	calls     *prometheus.CounterVec
	latency   *prometheus.HistogramVec
	callbacks *prometheus.CounterVec
	build     *prometheus.GaugeVec
}

// NewMetrics starts at zero.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "einvoice_events_total",
			Help: "What happened, as in the journal: taken, mapped, refused, sent, rejected, status, received ..."}, []string{"event"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "einvoice_api_calls_total",
			Help: "Calls of the API by method and class of the answer: 2xx, 4xx, 5xx, none."}, []string{"method", "class"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "einvoice_api_call_duration_seconds",
			Help: "Time until the whole answer was read.", Buckets: []float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}, []string{"method"}),
		callbacks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "einvoice_callbacks_total",
			Help: "Calls of the platform by class of our answer."}, []string{"class"}),
		build: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "einvoice_build_info", Help: "1, with the version."}, []string{"version"}),
	}
	m.build.WithLabelValues(version).Set(1)
	return m
}

// Event counts something that happened.
func (m *Metrics) Event(name string) { m.events.WithLabelValues(name).Inc() }

// Call counts an answer of the API; status 0 is none.
func (m *Metrics) Call(method string, status int, took time.Duration) {
	m.calls.WithLabelValues(method, class(status)).Inc()
	m.latency.WithLabelValues(method).Observe(took.Seconds())
}

// Callbacks counts the calls that a handler answers.
func (m *Metrics) Callbacks(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &statusSeen{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		m.callbacks.WithLabelValues(class(seen.status)).Inc()
	})
}

type statusSeen struct {
	http.ResponseWriter
	status int
}

func (s *statusSeen) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (s *statusSeen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func class(status int) string {
	if status < 100 {
		return "none"
	}
	return strconv.Itoa(status/100) + "xx"
}

// registry is of this handler alone: nothing here is global.
func (m *Metrics) registry(s Source) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(m.events, m.calls, m.latency, m.callbacks, m.build, state{s},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// state asks the source at each scrape.
type state struct{ source Source }

// gauges are what state tells, with their labels.
func gauges() map[string]*prometheus.Desc {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return map[string]*prometheus.Desc{
		"invoices": desc("einvoice_invoices", "Outgoing invoices by where they stand.", "company", "state"),
		"received": desc("einvoice_received_invoices", "Supplier invoices by how far they came.", "company", "state"),
		"oldest":   desc("einvoice_oldest_due_seconds", "Age of the oldest invoice that may be sent now.", "company"),
		"last":     desc("einvoice_last_export_timestamp_seconds", "When the last export was taken.", "company"),
		"stopped":  desc("einvoice_sending_stopped", "1 while sending for a company is stopped.", "company"),
		"owed":     desc("einvoice_answers_owed", "Files for the ERP that are not written yet."),
		"gets":     desc("einvoice_api_gets_today", "GETs of the day, which the budget counts."),
		"disk":     desc("einvoice_disk_free_bytes", "Room on the disk of a folder.", "path"),
		"alarm":    desc("einvoice_alarm", "1 for each alarm that is up.", "kind", "subject"),
		"readable": desc("einvoice_ledger_readable", "0 when the figures cannot be read."),
	}
}

// Describe is of prometheus.Collector.
func (state) Describe(out chan<- *prometheus.Desc) {
	for _, d := range gauges() {
		out <- d
	}
}

// Collect is of prometheus.Collector.
func (s state) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	all := gauges()
	put := func(name string, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(all[name], prometheus.GaugeValue, v, labels...)
	}
	f, err := s.source.Figures(ctx)
	if err != nil {
		put("readable", 0)
		return
	}
	put("readable", 1)
	put("owed", float64(f.Owed))
	put("gets", float64(f.GetsToday))
	for k, n := range f.Invoices {
		put("invoices", float64(n), k[0], k[1])
	}
	for k, n := range f.Received {
		put("received", float64(n), k[0], k[1])
	}
	for c, d := range f.OldestDue {
		put("oldest", d.Seconds(), c)
	}
	for c, t := range f.LastFile {
		put("last", float64(t.Unix()), c)
	}
	for c, stopped := range f.Stopped {
		put("stopped", number(stopped), c)
	}
	for path, n := range f.DiskFree {
		put("disk", float64(n), path)
	}
	for k, n := range f.Alarms {
		put("alarm", float64(n), k[0], k[1])
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
