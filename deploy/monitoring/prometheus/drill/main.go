// Command drill holds alert rules against scrapes of /metrics that were recorded, with Prometheus' own engine.
//
// It is given the file of the rules, and on standard input a Recording as JSON. It prints a Report as JSON: which alerts fired,
// from when on, and which expressions can't be read.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// evaluation is how often Prometheus looks at the rules.
const evaluation = 15 * time.Second

// Scrape is what one target answered at an instant (Unix seconds). Without a text it did not answer.
type Scrape struct {
	At     int64             `json:"at"`
	Labels map[string]string `json:"labels"`
	Text   *string           `json:"text"`
}

// Recording is what was scraped in the order of time, and expressions of dashboards that are to be read.
type Recording struct {
	Scrapes     []Scrape `json:"scrapes"`
	Expressions []string `json:"expressions"`
}

// Firing is an alert that fired, from an instant on.
type Firing struct {
	Alert  string            `json:"alert"`
	At     int64             `json:"at"`
	Labels map[string]string `json:"labels"`
}

// Report is what came of it.
type Report struct {
	Fired   []Firing          `json:"fired"`
	Invalid map[string]string `json:"invalid"`
}

type sample struct {
	at    int64
	value float64
}

func (s sample) T() int64                      { return s.at }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.value }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

// memory keeps the series of a recording, and is what the engine asks.
type memory struct {
	labels  map[string]labels.Labels
	samples map[string][]chunks.Sample
}

func (m *memory) add(series labels.Labels, at int64, value float64) {
	key := series.String()
	m.labels[key] = series
	m.samples[key] = append(m.samples[key], sample{at, value})
}

func (m *memory) Querier(int64, int64) (storage.Querier, error) { return m, nil }
func (m *memory) Close() error                                  { return nil }

func (m *memory) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("no rule asks for the values of labels")
}

func (m *memory) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("no rule asks for the names of labels")
}

func (m *memory) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found := &selection{at: -1}
	for key, series := range m.labels {
		if matches(series, matchers) {
			found.series = append(found.series, storage.NewListSeries(series, m.samples[key]))
		}
	}
	return found
}

func matches(series labels.Labels, matchers []*labels.Matcher) bool {
	for _, matcher := range matchers {
		if !matcher.Matches(series.Get(matcher.Name)) {
			return false
		}
	}
	return true
}

type selection struct {
	series []storage.Series
	at     int
}

func (s *selection) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *selection) At() storage.Series                { return s.series[s.at] }
func (s *selection) Err() error                        { return nil }
func (s *selection) Warnings() annotations.Annotations { return nil }

func read(scrapes []Scrape) (*memory, error) {
	found := &memory{labels: map[string]labels.Labels{}, samples: map[string][]chunks.Sample{}}
	for _, scrape := range scrapes {
		at := scrape.At * 1000
		if err := found.take(scrape, at); err != nil {
			return nil, fmt.Errorf("scrape at %d: %w", scrape.At, err)
		}
		up := 1.0
		if scrape.Text == nil {
			up = 0
		}
		found.add(withTarget(labels.FromStrings(labels.MetricName, "up"), scrape.Labels), at, up)
	}
	return found, nil
}

func (m *memory) take(scrape Scrape, at int64) error {
	if scrape.Text == nil {
		return nil
	}
	parsed := textparse.NewPromParser([]byte(*scrape.Text), labels.NewSymbolTable(), false)
	for {
		entry, err := parsed.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if entry == textparse.EntrySeries {
			var series labels.Labels
			parsed.Labels(&series)
			_, _, value := parsed.Series()
			m.add(withTarget(series, scrape.Labels), at, value)
		}
	}
}

func withTarget(series labels.Labels, target map[string]string) labels.Labels {
	builder := labels.NewBuilder(series)
	for name, value := range target {
		builder.Set(name, value)
	}
	return builder.Labels()
}

// hold evaluates one rule over the whole recording, and tells which of its alerts began to fire when.
func hold(engine *promql.Engine, recorded *memory, rule rulefmt.Rule, from, until time.Time) ([]Firing, error) {
	query, err := engine.NewRangeQuery(context.Background(), recorded, nil, rule.Expr, from, until, evaluation)
	if err != nil {
		return nil, err
	}
	defer query.Close()
	matrix, err := query.Exec(context.Background()).Matrix()
	if err != nil {
		return nil, err
	}
	var fired []Firing
	for _, series := range matrix {
		if at, does := firesAt(series.Floats, time.Duration(rule.For)); does {
			own := labels.NewBuilder(series.Metric).Del(labels.MetricName).Labels()
			fired = append(fired, Firing{Alert: rule.Alert, At: at / 1000, Labels: own.Map()})
		}
	}
	return fired, nil
}

// firesAt is the first instant at which an alert has been active at every evaluation for long enough.
func firesAt(points []promql.FPoint, long time.Duration) (int64, bool) {
	var since, last int64
	for index, point := range points {
		if index == 0 || point.T-last > evaluation.Milliseconds() {
			since = point.T
		}
		last = point.T
		if point.T-since >= long.Milliseconds() {
			return point.T, true
		}
	}
	return 0, false
}

func run(file string, input io.Reader) (*Report, error) {
	var recording Recording
	if err := json.NewDecoder(input).Decode(&recording); err != nil {
		return nil, err
	}
	language := parser.NewParser(parser.Options{})
	groups, problems := rulefmt.ParseFile(file, false, model.UTF8Validation, language, slog.Default())
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	report := &Report{Fired: []Firing{}, Invalid: map[string]string{}}
	for _, expression := range recording.Expressions {
		if _, err := language.ParseExpr(expression); err != nil {
			report.Invalid[expression] = err.Error()
		}
	}
	if len(recording.Scrapes) == 0 {
		return report, nil
	}
	recorded, err := read(recording.Scrapes)
	if err != nil {
		return nil, err
	}
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: language,
	})
	from := time.Unix(recording.Scrapes[0].At, 0)
	until := time.Unix(recording.Scrapes[len(recording.Scrapes)-1].At, 0)
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			fired, err := hold(engine, recorded, rule, from, until)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", rule.Alert, err)
			}
			report.Fired = append(report.Fired, fired...)
		}
	}
	return report, nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: drill RULES < recording.json")
		os.Exit(2)
	}
	report, err := run(os.Args[1], os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
