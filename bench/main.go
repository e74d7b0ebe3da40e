// SPDX-License-Identifier: Apache-2.0

// Bench measures connection set-up and data on Dialtone's sockets beside the kernel's and the peers': the same operations,
// in one process, one after the other in turns, so that whatever else the machine does falls on all alike; and programs
// hosted by the supervisor beside the same on the kernel. It prints
// medians and their ratio to the kernel's TCP; ratios are what counts, absolute figures are not worth keeping.
//
//	go run .                # all of it: some minutes
//	go run . -only connect  # operations whose name contains a word
//	go run . -json          # for programs
//	go run . -only scale    # what a connect costs beside N established connections: a table, and a plot in cost.svg
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	if playRole(os.Args[1:]) {
		return
	}
	var (
		span   = flag.Duration("d", 500*time.Millisecond, "time for each measurement")
		rounds = flag.Int("r", 5, "measurements of each operation on each peer")
		only   = flag.String("only", "", "only operations and scale tests whose name contains this")
		peer   = flag.String("peer", "", "only peers whose name contains this")
		asJSON = flag.Bool("json", false, "print JSON, one object a figure")
		plot   = flag.String("plot", "cost.svg", "write an SVG of connect cost against open connections to this file; empty: don't")
		pairs  = flag.Int("pairs", 1_000_000, "most connections for the scale test and the plot")
		hosts  = flag.Int("hosts", 10_000, "hosts on the hub")
	)
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "bench: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	r := &report{rounds: *rounds}
	for _, op := range slices.Concat(operations, hostedOperations) {
		if strings.Contains(op.name, *only) {
			r.measure(op, *peer, *span)
		}
	}
	// The hosts come first: a million connections leave memory that their last timers hold.
	if strings.Contains("hub", *only) && strings.Contains("dialtone", *peer) {
		r.hub = measureCrowd(*hosts)
	}
	if strings.Contains("scale", *only) {
		r.measureScale(*peer, *pairs)
	}
	var err error
	if *asJSON {
		err = r.writeJSON(os.Stdout)
	} else {
		err = r.writeText(os.Stdout)
	}
	if err == nil && *plot != "" && len(r.scale) > 0 {
		err = writePlot(*plot, r.scale)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
