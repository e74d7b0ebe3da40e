// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is what one peer did in one operation.
type figure struct {
	Operation string  `json:"operation"`
	Peer      string  `json:"peer"`
	Unit      string  `json:"unit"`
	Median    float64 `json:"median"`
	Least     float64 `json:"least"`
	Most      float64 `json:"most"`
	// Ratio is how many times better than the operation's first peer, by medians; 0 where that was not measured.
	Ratio float64 `json:"ratio,omitempty"`
	Error string  `json:"error,omitempty"`
}

type report struct {
	rounds   int
	figures  []figure
	scale    []scaled
	failures []string // of scale
	hub      crowd
}

// measure runs an operation on its peers, in turns.
func (r *report) measure(op operation, only string, span time.Duration) {
	values := make([][]float64, len(op.peers))
	failures := make([]string, len(op.peers))
	for round := range r.rounds {
		for i, p := range op.peers {
			if !strings.Contains(p.name, only) || failures[i] != "" {
				continue
			}
			r.progress("round %d of %d: %s, %s", round+1, r.rounds, op.name, p.name)
			v, err := once(op, p, span)
			if err != nil {
				failures[i] = err.Error()
				continue
			}
			values[i] = append(values[i], v)
		}
	}
	r.progress("")
	base := 0.0
	for i, p := range op.peers {
		f := figure{Operation: op.name, Peer: p.name, Unit: op.unit, Error: failures[i]}
		if len(values[i]) > 0 {
			slices.Sort(values[i])
			f.Median, f.Least, f.Most = values[i][len(values[i])/2], values[i][0], values[i][len(values[i])-1]
			if i == 0 {
				base = f.Median
			}
			if f.Ratio = f.Median / base; op.less {
				f.Ratio = base / f.Median
			}
			if base == 0 {
				f.Ratio = 0
			}
		} else if f.Error == "" {
			continue
		}
		r.figures = append(r.figures, f)
	}
}

// measureScale measures what a connect costs beside up to most connections, on each peer as far as that goes.
func (r *report) measureScale(only string, most int) {
	for _, p := range scalePeers {
		if !strings.Contains(p.name, only) {
			continue
		}
		r.progress("connect beside many, %s", p.name)
		e, err := p.open(most)
		if err != nil {
			r.failures = append(r.failures, fmt.Sprintf("%s: %v", p.name, err))
			continue
		}
		points, err := measureScale(p.name, min(most, p.most), e)
		if err != nil {
			r.failures = append(r.failures, fmt.Sprintf("%s, after %d points: %v", p.name, len(points), err))
		}
		r.scale = append(r.scale, points...)
		e.listener.Close()
		e.close()
	}
	r.progress("")
}

// progress says on a terminal what is measured now.
func (r *report) progress(format string, args ...any) {
	if stat, err := os.Stderr.Stat(); err == nil && stat.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(os.Stderr, "\r\x1b[K"+format, args...)
	}
}

func once(op operation, p peer, span time.Duration) (float64, error) {
	e, err := p.open()
	if err != nil {
		return 0, err
	}
	defer e.close()
	if e.listener != nil {
		defer e.listener.Close()
	}
	return op.run(e, span)
}

func (r *report) writeText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	operation := ""
	for _, f := range r.figures {
		if f.Operation != operation {
			operation = f.Operation
			fmt.Fprintf(t, "\n%s\tmedian\tspread\t× better\t\n", operation)
		}
		if f.Error != "" {
			fmt.Fprintf(t, "%s\t%s\t\t\t\n", f.Peer, f.Error)
			continue
		}
		fmt.Fprintf(t, "%s\t%s %s\t%s - %s\t%.2f\t\n", f.Peer, short(f.Median), f.Unit, short(f.Least), short(f.Most), f.Ratio)
	}
	if len(r.scale) > 0 {
		fmt.Fprintf(t, "\nwith N pairs established\tN\tconnect+accept+close\tmemory per pair\t× beside 1,000\t\n")
		for _, s := range r.scale {
			memory := ""
			if s.Memory != 0 {
				memory = fmt.Sprintf("%.0f B", s.Memory)
			}
			fmt.Fprintf(t, "%s\t%d\t%.0f ns\t%s\t%.2f\t\n", s.Peer, s.Pairs, s.Connect, memory, s.Connect/r.beside(s.Peer, 1000))
		}
	}
	for _, f := range r.failures {
		fmt.Fprintf(t, "%s\n", f)
	}
	if h := r.hub; h.Hosts > 0 {
		fmt.Fprintf(t, "\ndialtone, hosts on a hub\tmemory per idle host\tconnects\tall of it\t\n")
		fmt.Fprintf(t, "%d\t%.0f B\t%d\t%.2f s\t\n", h.Hosts, h.Memory, h.Connects, h.Seconds)
	}
	return t.Flush()
}

// beside returns what a connect of a peer costs beside a number of pairs, not a number if that was not measured.
func (r *report) beside(peer string, pairs int) float64 {
	for _, s := range r.scale {
		if s.Peer == peer && s.Pairs == pairs {
			return s.Connect
		}
	}
	return math.NaN()
}

// short prints a figure with three digits that count.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func (r *report) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	for _, f := range r.figures {
		if err := enc.Encode(f); err != nil {
			return err
		}
	}
	for _, s := range r.scale {
		if err := enc.Encode(s); err != nil {
			return err
		}
	}
	if r.hub.Hosts > 0 {
		return enc.Encode(r.hub)
	}
	return nil
}
