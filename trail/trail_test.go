// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"testing"
	"time"
)

func TestLastDecisionHolds(t *testing.T) {
	var tr Trail
	tr.Decide(0, Route, "unicast")
	tr.Add(time.Second, Sent, "SYN %d", 1)
	tr.Decide(2*time.Second, Received, "RST")
	if len(tr.Lines) != 3 || tr.Lines[0].Decided || !tr.Lines[2].Decided {
		t.Errorf("lines %+v", tr.Lines)
	}
	if l, ok := tr.Decided(); !ok || l.Layer != Received {
		t.Errorf("Decided() = %+v, %v", l, ok)
	}
}

func TestNilKeepsNothing(t *testing.T) {
	var tr *Trail
	tr.Add(0, Route, "x")
	tr.Decide(0, Route, "x")
	if _, ok := tr.Decided(); ok {
		t.Error("a nil trail has decided something")
	}
	if n := testing.AllocsPerRun(100, func() {
		if tr != nil {
			tr.Add(0, Route, "%d", 12345)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
