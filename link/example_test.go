// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"fmt"
	"net/netip"
	"time"

	"dialtone/link"
)

// A slow line: 10 Mbit/s down, 1 Mbit/s up, and now and then a burst of losses.
func ExampleImpaired() {
	home := netip.MustParsePrefix("192.0.2.0/24")
	line := link.NewImpaired(link.NewCable(20*time.Millisecond), 1)
	noise := link.GilbertElliott{ToBad: 0.001, ToGood: 0.2, LossBad: 0.9}
	err := line.SetRules(
		link.Rule{To: home, Effect: link.Effect{Rate: 10_000_000, Bursts: noise}},
		link.Rule{From: home, Effect: link.Effect{Rate: 1_000_000, Bursts: noise}},
	)
	fmt.Println(err)
	// Output: <nil>
}

// A rule that makes no sense is refused, and the old ones hold.
func ExampleImpaired_SetRules() {
	line := link.NewImpaired(link.NewHub(0), 1)
	fmt.Println(line.SetRules(link.Rule{Effect: link.Effect{Loss: 3}}))
	// Output: link: rule 1: loss of 3, want a share between 0 and 1
}
