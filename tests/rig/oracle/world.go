package main

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

type series struct {
	Labels  map[string]string `json:"labels"`
	Samples []point           `json:"samples"`
}

// point is a JSON pair of milliseconds and a number as text, or "stale".
type point struct {
	t int64
	f float64
}

func (p *point) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &[]any{&p.t, &text}); err != nil {
		return err
	}
	if text == "stale" {
		p.f = math.Float64frombits(value.StaleNaN)
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	p.f = f
	return err
}

func (p point) T() int64                    { return p.t }
func (point) ST() int64                     { return 0 }
func (p point) F() float64                  { return p.f }
func (point) H() *histogram.Histogram       { return nil }
func (point) FH() *histogram.FloatHistogram { return nil }
func (point) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (p point) Copy() chunks.Sample         { return p }

// world is a storage of finished series, sorted by labels.
type world []storage.Series

func newWorld(given []series) (world, error) {
	made := make(world, 0, len(given))
	for _, s := range given {
		samples := make([]chunks.Sample, len(s.Samples))
		for i, p := range s.Samples {
			samples[i] = p
		}
		made = append(made, storage.NewListSeries(withoutEmpty(s.Labels), samples))
	}
	slices.SortFunc(made, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return made, nil
}

// withoutEmpty drops empty labels, which are no labels.
func withoutEmpty(given map[string]string) labels.Labels {
	return labels.NewBuilder(labels.FromMap(given)).Labels()
}

func (w world) Querier(int64, int64) (storage.Querier, error) { return querier{world: w}, nil }

type querier struct{ world world }

func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	set := &seriesSet{at: -1}
	for _, s := range q.world {
		if matches(s.Labels(), matchers) {
			set.series = append(set.series, s)
		}
	}
	return set
}

func matches(l labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}

func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) Close() error { return nil }

type seriesSet struct {
	series []storage.Series
	at     int
}

func (s *seriesSet) Next() bool                      { s.at++; return s.at < len(s.series) }
func (s *seriesSet) At() storage.Series              { return s.series[s.at] }
func (*seriesSet) Err() error                        { return nil }
func (*seriesSet) Warnings() annotations.Annotations { return nil }
