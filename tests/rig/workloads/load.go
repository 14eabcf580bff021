package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// tally counts answers by "CODE VERSION"; the version is read off the pod's name in the answer.
type tally struct {
	mutex  sync.Mutex
	counts map[string]int
}

func (t *tally) add(key string) {
	t.mutex.Lock()
	t.counts[key]++
	t.mutex.Unlock()
}

// take returns the counts so far.
func (t *tally) take() map[string]int {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	taken := make(map[string]int, len(t.counts))
	for key, count := range t.counts {
		taken[key] = count
	}
	return taken
}

var podVersion = regexp.MustCompile(`reviews-(v[0-9]+)-`)

// runLoad asks one URL at a steady pace and prints its counts as a JSON line every second and at the end.
//
// It ends after --requests answers, on SIGTERM or SIGINT, and with --until-eof at the end of stdin.
func runLoad(arguments []string) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	url := flags.String("url", "", "what to ask")
	host := flags.String("host", "", "Host header, when it is not the URL's")
	pace := flags.Float64("rps", 20, "requests a second; 0 is as fast as the connections allow")
	total := flags.Int64("requests", 0, "end after so many; 0 goes on until told")
	untilEOF := flags.Bool("until-eof", false, "end when stdin ends, as it does with whoever holds its other end")
	connections := flags.Int("connections", 8, "connections at once")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	counts, stop := &tally{counts: map[string]int{}}, untilTold(*untilEOF)
	tickets := sell(*pace, *total, stop)
	var workers sync.WaitGroup
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: *connections}}
	for range *connections {
		workers.Go(func() {
			for range tickets {
				counts.add(ask(client, *url, *host))
			}
		})
	}
	finished := make(chan struct{})
	go func() { workers.Wait(); close(finished) }()
	return report(counts, finished)
}

// untilTold closes its channel at the first signal, and if asked when stdin ends.
func untilTold(eof bool) <-chan struct{} {
	stop, signals := make(chan struct{}), make(chan os.Signal, 1)
	var once sync.Once
	end := func() { once.Do(func() { close(stop) }) }
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() { <-signals; end() }()
	if eof {
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); end() }()
	}
	return stop
}

// sell hands out one ticket for each request, at the pace asked for.
func sell(pace float64, total int64, stop <-chan struct{}) <-chan struct{} {
	tickets := make(chan struct{})
	var sold atomic.Int64
	go func() {
		defer close(tickets)
		begun := time.Now()
		for total == 0 || sold.Load() < total {
			if pace > 0 {
				time.Sleep(time.Until(begun.Add(time.Duration(float64(sold.Load()) / pace * float64(time.Second)))))
			}
			select {
			case tickets <- struct{}{}:
				sold.Add(1)
			case <-stop:
				return
			}
		}
	}()
	return tickets
}

// ask makes one request and names its answer "CODE VERSION"; one that never came is "0 -".
func ask(client *http.Client, url, host string) string {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return "0 -"
	}
	request.Host = host
	response, err := client.Do(request)
	if err != nil {
		return "0 -"
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	version := "-"
	if found := podVersion.FindSubmatch(body); err == nil && found != nil {
		version = string(found[1])
	}
	return fmt.Sprintf("%d %s", response.StatusCode, version)
}

func report(counts *tally, finished <-chan struct{}) error {
	lines, every := json.NewEncoder(os.Stdout), time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			if err := lines.Encode(counts.take()); err != nil {
				return err
			}
		case <-finished:
			return lines.Encode(counts.take())
		}
	}
}
