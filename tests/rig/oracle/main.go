// The oracle answers PromQL queries with Prometheus' own engine.
//
// It reads JSON lines and writes one JSON line for each query. A line either gives the series of a
// world a name:
//
//	{"world": "w", "series": [{"labels": {"__name__": "up"}, "samples": [[1000, "1"], [2000, "stale"]]}]}
//
// or asks: {"id": "1", "world": "w", "expr": "up", "at": 2000}, or with "start", "end" and "step" instead
// of "at". Times are milliseconds. The answer is {"id": "1", "answer": ...} with the body of the HTTP API.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

type line struct {
	World  string   `json:"world"`
	Series []series `json:"series"`

	ID    string `json:"id"`
	Expr  string `json:"expr"`
	At    *int64 `json:"at"`
	Start int64  `json:"start"`
	End   int64  `json:"end"`
	Step  int64  `json:"step"`
}

type answer struct {
	Status    string `json:"status"`
	Data      *data  `json:"data,omitempty"`
	ErrorType string `json:"errorType,omitempty"`
	Error     string `json:"error,omitempty"`
}

type data struct {
	ResultType parser.ValueType `json:"resultType"`
	Result     any              `json:"result"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func run() error {
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples:               50_000_000,
		Timeout:                  2 * time.Minute,
		LookbackDelta:            5 * time.Minute,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   parser.NewParser(parser.Options{}),
	})
	worlds := map[string]world{}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	decoder := json.NewDecoder(in)
	for decoder.More() {
		var l line
		if err := decoder.Decode(&l); err != nil {
			return err
		}
		if l.Expr == "" && l.ID == "" {
			w, err := newWorld(l.Series)
			if err != nil {
				return err
			}
			worlds[l.World] = w
			continue
		}
		w, known := worlds[l.World]
		if !known {
			return fmt.Errorf("query %s asks about world %q, which no line has given", l.ID, l.World)
		}
		if err := out.Encode(map[string]any{"id": l.ID, "answer": ask(engine, w, l)}); err != nil {
			return err
		}
	}
	return nil
}

func ask(engine *promql.Engine, w world, l line) answer {
	ctx := context.Background()
	query, err := prepare(ctx, engine, w, l)
	if err != nil {
		return answer{Status: "error", ErrorType: "bad_data", Error: err.Error()}
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return answer{Status: "error", ErrorType: errorType(result.Err), Error: result.Err.Error()}
	}
	return answer{Status: "success", Data: &data{ResultType: result.Value.Type(), Result: plain(result.Value)}}
}

func prepare(ctx context.Context, engine *promql.Engine, w world, l line) (promql.Query, error) {
	if l.At != nil {
		return engine.NewInstantQuery(ctx, w, nil, l.Expr, time.UnixMilli(*l.At))
	}
	step := time.Duration(l.Step) * time.Millisecond
	return engine.NewRangeQuery(ctx, w, nil, l.Expr, time.UnixMilli(l.Start), time.UnixMilli(l.End), step)
}

func errorType(err error) string {
	var timeout promql.ErrQueryTimeout
	if errors.As(err, &timeout) {
		return "timeout"
	}
	return "execution"
}

// plain avoids null where a vector or matrix is empty.
func plain(value parser.Value) any {
	switch v := value.(type) {
	case promql.Vector:
		if v == nil {
			return []any{}
		}
	case promql.Matrix:
		if v == nil {
			return []any{}
		}
	case promql.String:
		return [...]any{float64(v.T) / 1000, v.V}
	}
	return value
}
