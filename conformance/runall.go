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

// retries is how many times cases that differ are put again. A case in real time differs by chance if one of its steps
// falls across a tick of the kernel's timers, and that chance grows with what else the machine does.
const (
	retries = 2
	few     = 8 // of them at a time
)

// Retry runs once more the cases whose reports differ, without the others, up to twice, and puts the last reports in the
// first ones' place. It is for arms in real time: cases that ran beside many others on a busy machine may have been late,
// and are not beside few.
func Retry(arm Arm, reports []*Report, differs func(*Report) bool) error {
	for range retries {
		var again []int
		var cases []*Case
		for i, r := range reports {
			if differs(r) {
				again, cases = append(again, i), append(cases, r.Case)
			}
		}
		if len(again) == 0 {
			break
		}
		// All are of one personality: an arm in real time is one system.
		news, err := RunAll(arm, cases, reports[again[0]].Personality, few, nil)
		if err != nil {
			return err
		}
		for k, i := range again {
			reports[i] = news[k]
		}
	}
	return nil
}
