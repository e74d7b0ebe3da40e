// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"os"
	"strings"
)

// The picture, in pixels: the axes' corner, and what is left free around them.
const (
	plotWidth, plotHeight       = 760, 440
	plotLeft, plotRight         = 80, 130
	plotTop, plotBottom         = 40, 60
	plotInnerWidth              = plotWidth - plotLeft - plotRight
	plotInnerHeight             = plotHeight - plotTop - plotBottom
	plotFrame, plotGrid, plotAt = "#333", "#ddd", `font-family="sans-serif" font-size="13"`
)

// plotColours are those of the peers, in turn; told apart by the colour-blind, too (Okabe and Ito).
var plotColours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7"}

// writePlot draws what a connect costs against how many connections are open, a line a peer, on logarithmic axes.
func writePlot(path string, points []scaled) error {
	pairs, costs := decades(points, func(p scaled) float64 { return float64(p.Pairs) }), decades(points, func(p scaled) float64 { return p.Connect })
	x := func(v float64) float64 { return plotLeft + pairs.place(v)*plotInnerWidth }
	y := func(v float64) float64 { return plotTop + (1-costs.place(v))*plotInnerHeight }

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" %s>`+"\n", plotWidth, plotHeight, plotAt)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	fmt.Fprintf(&b, `<text x="%d" y="24">connect+accept+close, by established connections</text>`+"\n", plotLeft)
	for e := pairs.first; e <= pairs.last; e++ {
		at := x(math.Pow10(e))
		fmt.Fprintf(&b, `<path d="M%.1f %d V%d" stroke="%s"/>`+"\n", at, plotTop, plotHeight-plotBottom, plotGrid)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", at, plotHeight-plotBottom+20, grouped(int(math.Pow10(e))))
	}
	for e := costs.first; e <= costs.last; e++ {
		at := y(math.Pow10(e))
		fmt.Fprintf(&b, `<path d="M%d %.1f H%d" stroke="%s"/>`+"\n", plotLeft, at, plotWidth-plotRight, plotGrid)
		fmt.Fprintf(&b, `<text x="%d" y="%.1f" text-anchor="end">%s µs</text>`+"\n", plotLeft-8, at+4, micros(e))
	}
	fmt.Fprintf(&b, `<path d="M%d %d V%d H%d" fill="none" stroke="%s"/>`+"\n", plotLeft, plotTop, plotHeight-plotBottom, plotWidth-plotRight, plotFrame)
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">established connections</text>`+"\n", plotLeft+plotInnerWidth/2, plotHeight-16)
	for k, line := range byPeer(points) {
		colour := plotColours[k%len(plotColours)]
		var path []string
		for _, p := range line {
			path = append(path, fmt.Sprintf("%.1f,%.1f", x(float64(p.Pairs)), y(p.Connect)))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(float64(p.Pairs)), y(p.Connect), colour)
		}
		last := line[len(line)-1]
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(path, " "), colour)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" fill="%s">%s</text>`+"\n", x(float64(last.Pairs))+4, y(last.Connect)-8, colour, last.Peer)
	}
	b.WriteString("</svg>\n")
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// axis goes from one power of ten to another.
type axis struct{ first, last int }

// decades returns the axis that has room for a value of all points.
func decades(points []scaled, value func(scaled) float64) axis {
	a := axis{math.MaxInt, math.MinInt}
	for _, p := range points {
		e := math.Log10(value(p))
		a.first, a.last = min(a.first, int(math.Floor(e))), max(a.last, int(math.Ceil(e)))
	}
	a.last = max(a.last, a.first+1)
	return a
}

// place returns where on the axis a value is, from 0 to 1.
func (a axis) place(v float64) float64 {
	return (math.Log10(v) - float64(a.first)) / float64(a.last-a.first)
}

// byPeer returns the points of each peer, in the order they came.
func byPeer(points []scaled) (lines [][]scaled) {
	for _, p := range points {
		if k := len(lines) - 1; k >= 0 && lines[k][0].Peer == p.Peer {
			lines[k] = append(lines[k], p)
		} else {
			lines = append(lines, []scaled{p})
		}
	}
	return lines
}

// micros writes 10^e nanoseconds in microseconds.
func micros(e int) string {
	if e < 3 {
		return "0." + strings.Repeat("0", 2-e) + "1"
	}
	return grouped(int(math.Pow10(e - 3)))
}

// grouped writes a power of ten with its thousands apart: 10,000.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return grouped(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
