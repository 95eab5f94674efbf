package appliance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Prober asks one address at a steady rate and counts what came back. Requests
// are started on time whether or not earlier ones have been answered, half of
// them on fresh connections, as from many visitors.
type Prober struct {
	URL       string
	PerSecond int
	Machine   *Machine
	// Check says what is wrong with an answer of status 200; may be nil.
	Check func(body string) error
}

// Tally is what a Prober saw.
type Tally struct {
	Requests, Failed int
	Reasons          []string // of the first failures, with their time since the start
	Slowest          time.Duration
	Took             time.Duration
}

// Rate is the number of requests in a second.
func (t Tally) Rate() float64 { return float64(t.Requests) / t.Took.Seconds() }

// String is a line for a report.
func (t Tally) String() string {
	return fmt.Sprintf("%d requests in %s (%.0f/s), %d failed, slowest %s", t.Requests, t.Took.Round(time.Second), t.Rate(), t.Failed, t.Slowest.Round(time.Millisecond))
}

// Start begins to ask and returns the call that stops, waits for the last
// answers and tells.
func (p Prober) Start(ctx context.Context) (stop func() Tally) {
	ctx, cancel := context.WithCancel(ctx)
	fresh := p.Machine.Transport()
	fresh.DisableKeepAlives = true
	clients := []*http.Client{
		{Transport: p.Machine.Transport(), Timeout: 10 * time.Second},
		{Transport: fresh, Timeout: 10 * time.Second},
	}
	var (
		tally   Tally
		mu      sync.Mutex
		running sync.WaitGroup
		start   = time.Now()
		done    = make(chan struct{})
	)
	ask := func(n int) {
		defer running.Done()
		began := time.Now()
		err := p.once(clients[n%len(clients)])
		took := time.Since(began)
		mu.Lock()
		defer mu.Unlock()
		tally.Requests++
		tally.Slowest = max(tally.Slowest, took)
		if err != nil {
			tally.Failed++
			if len(tally.Reasons) < 20 {
				tally.Reasons = append(tally.Reasons, fmt.Sprintf("%.2fs: %v", began.Sub(start).Seconds(), err))
			}
		}
	}
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second / time.Duration(p.PerSecond))
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				running.Add(1)
				go ask(n)
			}
		}
	}()
	return func() Tally {
		cancel()
		<-done
		running.Wait()
		tally.Took = time.Since(start)
		return tally
	}
}

// once sends one request. It is not cancelled when the prober stops: a request
// that was sent has to be answered.
func (p Prober) once(client *http.Client) error {
	resp, err := client.Get(p.URL)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d: %.120s", resp.StatusCode, body)
	}
	if p.Check != nil {
		return p.Check(string(body))
	}
	return nil
}
