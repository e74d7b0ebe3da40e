// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"dialtone"
	"dialtone/firewall"
	"dialtone/inet"
	"dialtone/wire"
)

// Taps are told of every packet, each way, on hosts that are made later too, until they are removed.
func TestTap(t *testing.T) {
	n := dialtone.NewNetwork()
	var told []string
	tap := func(name, on string) (remove func()) {
		return n.Tap(func(h *dialtone.Host) inet.Tap {
			if h.Name() != on {
				return nil
			}
			return func(_ time.Duration, i *inet.Interface, d firewall.Direction, p *wire.Packet) {
				told = append(told, fmt.Sprintf("%s %s %v %v", name, i.Name, d, p.Dst))
			}
		})
	}
	ask := func(to string, want ...string) {
		t.Helper()
		c, err := n.Host("client.test").Dial("udp", to)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		told = nil
		if _, err := c.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if !slices.Equal(told, want) {
			t.Errorf("to %s: %q, want %q", to, told, want)
		}
	}
	n.Host("web.test") // 10.0.0.1
	removeWeb := tap("first", "web.test")
	removeClient := tap("second", "client.test")
	removeAgain := tap("third", "client.test")
	ask("10.0.0.1:9",
		"second eth0 output 10.0.0.1", "third eth0 output 10.0.0.1", "first eth0 input 10.0.0.1",
		"first eth0 output 10.0.0.2", "second eth0 input 10.0.0.2", "third eth0 input 10.0.0.2")
	removeWeb()
	removeClient()
	ask("10.0.0.1:9", "third eth0 output 10.0.0.1", "third eth0 input 10.0.0.2")
	ask("127.0.0.1:9",
		"third lo output 127.0.0.1", "third lo input 127.0.0.1", "third lo output 127.0.0.1", "third lo input 127.0.0.1")
	removeAgain()
	removeAgain() // nothing is left to be done
	ask("10.0.0.1:9")
}
