package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/slipway-paas/slipway/platform"
)

// Metrics are the controller's numbers, served at /metrics in the Prometheus
// text format to those who reach the listener without the gateway.
type Metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	releases  *prometheus.CounterVec
	inFlight  prometheus.Gauge
	panics    prometheus.Counter
	throttled prometheus.Counter
}

// NewMetrics makes the metrics in a registry of their own: the process also
// holds Kubernetes, whose metrics are scraped elsewhere.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "slipway_http_requests_total", Help: "Requests answered by the controller's API.",
		}, []string{"route", "method", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "slipway_http_request_duration_seconds", Help: "How long the controller's API took to answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method"}),
		releases: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "slipway_releases_total", Help: "Releases that entered a state.",
		}, []string{"state"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "slipway_http_requests_in_flight", Help: "Requests being answered now.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "slipway_http_panics_total", Help: "Requests that hit a bug and got a 500.",
		}),
		throttled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "slipway_http_throttled_total", Help: "Requests refused by the rate limits.",
		}),
	}
	m.registry.MustRegister(m.requests, m.durations, m.releases, m.inFlight, m.panics, m.throttled,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, s := range []platform.ReleaseState{platform.ReleaseSucceeded, platform.ReleaseCrashed} {
		m.releases.WithLabelValues(string(s)) // so that a rate over it exists from the start
	}
	return m
}

// CountRelease counts a release that entered a state. It has the shape of a
// hook and is safe for concurrent use.
func (m *Metrics) CountRelease(state platform.ReleaseState) {
	m.releases.WithLabelValues(string(state)).Inc()
}

// observe counts one answered request. Paths and methods that nobody defined
// share one label each, so that clients cannot grow the metrics.
func (m *Metrics) observe(route, method string, status int, took time.Duration) {
	if route == "" {
		route = "unknown"
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "OTHER"
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(route, method).Observe(took.Seconds())
}

// handler serves the text format.
func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Gauge adds a number that is asked for whenever the metrics are. A name can be
// added once.
func (m *Metrics) Gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}
