// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestManualStepsToDeadlines(t *testing.T) {
	m := NewManual()
	var fired []time.Duration
	for _, d := range []time.Duration{3, 1, 2} {
		m.AfterFunc(d*time.Second, func() { fired = append(fired, m.Now()) })
	}
	stopped := m.AfterFunc(time.Second, func() { t.Error("a stopped timer fired") })
	stopped.Stop()
	for m.Step() {
	}
	want := []time.Duration{1 * time.Second, 2 * time.Second, 3 * time.Second}
	if !slices.Equal(fired, want) {
		t.Errorf("fired at %v, want %v", fired, want)
	}
}

func TestManualWaitersCountAsSettled(t *testing.T) {
	m := NewManual()
	w := m.NewWaiter()
	var woke time.Duration
	m.Go(func() {
		m.AfterFunc(131*time.Second, w.Wake)
		w.Wait()
		woke = m.Now()
	})
	if !m.Step() {
		t.Fatal("no deadline")
	}
	if woke != 131*time.Second {
		t.Errorf("woke at %v", woke)
	}
	if m.Step() {
		t.Error("a deadline is left")
	}
}

func TestWakeBeforeWaitIsRemembered(t *testing.T) {
	for name, c := range map[string]Clock{"real": NewReal(), "manual": NewManual()} {
		w := c.NewWaiter()
		w.Wake()
		w.Wake()
		w.Wait() // must return: there is no other goroutine
		t.Log(name, "returned")
	}
}

func TestManualAdvanceStopsBetweenDeadlines(t *testing.T) {
	m := NewManual()
	n := 0
	m.AfterFunc(time.Second, func() { n++ })
	m.AfterFunc(time.Minute, func() { n++ })
	m.Advance(2 * time.Second)
	if n != 1 || m.Now() != 2*time.Second {
		t.Errorf("%d events by %v, want 1 by 2s", n, m.Now())
	}
}

func TestRealIsSynctestsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewReal()
		w := c.NewWaiter()
		timer := c.AfterFunc(131*time.Second, w.Wake)
		defer timer.Stop()
		w.Wait()
		if c.Now() != 131*time.Second {
			t.Errorf("woke at %v", c.Now())
		}
	})
}

// The naive twin of the heap is a slice searched from end to end.
func TestHeapIsSortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h Heap
		events := make([]Event, 8)
		var naive []*Event // in order of setting
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			e := &events[rapid.IntRange(0, len(events)-1).Draw(t, "event")]
			at := time.Duration(rapid.IntRange(0, 5).Draw(t, "at"))
			switch rapid.IntRange(0, 2).Draw(t, "op") {
			case 0:
				naive = append(slices.DeleteFunc(naive, func(x *Event) bool { return x == e }), e)
				h.Set(e, at)
			case 1:
				naive = slices.DeleteFunc(naive, func(x *Event) bool { return x == e })
				h.Remove(e)
			case 2:
				var want *Event
				for _, x := range naive {
					if x.at <= at && (want == nil || x.at < want.at) {
						want = x
					}
				}
				naive = slices.DeleteFunc(naive, func(x *Event) bool { return x == want })
				if got := h.Due(at); got != want {
					t.Fatalf("Due(%v) = %v, want %v", at, got, want)
				}
			}
			if h.Len() != len(naive) {
				t.Fatalf("%d events, want %d", h.Len(), len(naive))
			}
		}
	})
}
