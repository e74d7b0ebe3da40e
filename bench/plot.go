// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
)

// writePlot draws what a connect costs against how many connections are open, on a logarithmic axis.
func writePlot(path string, points []scaled) error {
	if len(points) == 0 {
		return errors.New("nothing to plot: the scale test did not run")
	}
	const width, height, left, bottom, top = 720, 400, 80, 50, 30
	most := 0.0
	for _, p := range points {
		most = max(most, p.Connect)
	}
	first, last := math.Log10(float64(points[0].Pairs)), math.Log10(float64(points[len(points)-1].Pairs))
	x := func(pairs int) float64 {
		if last == first {
			return left
		}
		return left + (math.Log10(float64(pairs))-first)/(last-first)*(width-left-40)
	}
	y := func(ns float64) float64 { return height - bottom - ns/(most*1.2)*(height-bottom-top) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/><text x="%d" y="18">connect+accept+close, ns, by established pairs</text>`+"\n", left)
	var line []string
	for _, p := range points {
		line = append(line, fmt.Sprintf("%.1f,%.1f", x(p.Pairs), y(p.Connect)))
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="4" fill="#06c"/><text x="%.1f" y="%.1f">%.0f</text>`+"\n", x(p.Pairs), y(p.Connect), x(p.Pairs)+6, y(p.Connect)-8, p.Connect)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n", x(p.Pairs), height-bottom+20, p.Pairs)
	}
	fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="#06c" stroke-width="2"/>`+"\n", strings.Join(line, " "))
	fmt.Fprintf(&b, `<path d="M%d %d V%d H%d" fill="none" stroke="black"/>`+"\n</svg>\n", left, top, height-bottom, width-20)
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
