// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A host's sockets are listed while they live, and connections until TCP is done with them.
func TestStack_Sockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		client, server := n.Host("client.test"), n.Host("server.test")
		list := func(h *Host) (all []string) {
			for _, s := range h.Stack().Sockets() {
				remote := "*"
				if s.Remote.Port() != 0 {
					remote = "peer"
				}
				all = append(all, fmt.Sprintf("%d %s>%s state %d, %d/%d", s.Protocol, s.Local.Addr(), remote, s.State, s.Received, s.Sent))
			}
			return all
		}
		expect := func(when string, h *Host, want ...string) {
			t.Helper()
			if got := list(h); !slices.Equal(got, want) {
				t.Errorf("%s, %s: %q, want %q", when, h.Name(), got, want)
			}
		}
		expect("at first", client)

		l, err := server.Listen("tcp4", ":80")
		if err != nil {
			t.Fatal(err)
		}
		pc, err := server.ListenPacket("udp4", ":53")
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.Dial("tcp4", "server.test:80")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(make([]byte, 7)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		expect("before accept", server,
			"6 0.0.0.0>* state 10, 1/4096", "6 10.0.0.2>peer state 1, 7/0", "17 0.0.0.0>* state 7, 0/0")
		expect("before accept", client, "6 10.0.0.1>peer state 1, 0/0")
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(make([]byte, 7)); err != nil {
			t.Fatal(err)
		}
		c.Close()
		expect("closing", client, "6 10.0.0.1>peer state 4, 0/0") // the FIN's ACK is delayed
		time.Sleep(time.Second)
		expect("half closed", client, "6 10.0.0.1>peer state 5, 0/0")
		s.Close()
		l.Close()
		pc.Close()
		expect("closed", server)
		expect("closed", client, "6 10.0.0.1>peer state 6, 0/0")
		time.Sleep(time.Minute + time.Second)
		expect("at last", client)
	})
}
