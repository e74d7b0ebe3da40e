// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"testing"
	"time"

	"dialtone/link"
)

// tap is a link of somebody else's that looks at packets.
type tap struct{ link.Link }

func TestClear(t *testing.T) {
	hub, slow, cut := link.NewHub(0), link.NewCable(time.Millisecond), link.NewHub(0)
	cut.Cut()
	lossy, mended := link.NewImpaired(hub, 1), link.NewImpaired(hub, 1)
	for _, l := range []*link.Impaired{lossy, mended} {
		if err := l.SetRules(link.Rule{Effect: link.Effect{Loss: 0.1}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := mended.SetRules(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		link link.Link
		want bool
	}{
		"hub": {hub, true}, "slow cable": {slow, false}, "cut": {cut, false}, "loopback": {link.Loopback{}, true},
		"rules": {lossy, false}, "no rules left": {mended, true}, "rules around a slow one": {link.NewImpaired(slow, 1), false},
		"another's": {tap{hub}, false}, "another's within": {link.NewImpaired(tap{hub}, 1), false},
	} {
		if got := link.Clear(c.link); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	cut.Heal()
	if !link.Clear(cut) {
		t.Error("a healed link is not clear")
	}
}
