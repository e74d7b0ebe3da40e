// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"cmp"
	"errors"
	"slices"
	"sync"
)

// RunAll runs cases beside each other, at most width at a time, those that wait longest first. Reports come in the
// order of the cases; seen, if not nil, is called with each as it comes, one call at a time.
func RunAll(arm Arm, cases []*Case, personality string, width int, seen func(*Report)) ([]*Report, error) {
	order := make([]int, len(cases))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(cases[j].Duration(), cases[i].Duration()) })
	reports := make([]*Report, len(cases))
	errs := make([]error, len(cases))
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan int)
	for range width {
		wg.Go(func() {
			for i := range next {
				reports[i], errs[i] = Run(arm, cases[i], personality)
				if seen != nil {
					mu.Lock()
					seen(reports[i])
					mu.Unlock()
				}
			}
		})
	}
	for _, i := range order {
		next <- i
	}
	close(next)
	wg.Wait()
	return reports, errors.Join(errs...)
}

// retries is how many times a case that differs is put again. A case in real time differs by chance if one of its steps
// falls across a tick of the kernel's timers, and that chance grows with what else the machine does.
const retries = 3

// Retry runs once more, alone, each case whose report differs, up to three times, and puts the last report in the first
// one's place. It is for arms in real time: cases that ran beside each other on a busy machine may have been late, and are
// not when alone.
func Retry(arm Arm, reports []*Report, differs func(*Report) bool) error {
	for i, r := range reports {
		for try := 0; try < retries && differs(reports[i]); try++ {
			again, err := Run(arm, r.Case, r.Personality)
			if err != nil {
				return err
			}
			reports[i] = again
		}
	}
	return nil
}
