// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"errors"
	"io"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/errno"
	"dialtone/link"
	"dialtone/personality"
	"dialtone/socket"
)

// Package net's shapes don't depend on whose answers a host gives.
func TestPersonalities_dialAndListen(t *testing.T) {
	for _, p := range personality.All {
		t.Run(p.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { dialAndListen(t, p) })
		})
	}
}

// hostOn returns a new host with one interface.
func hostOn(t *testing.T, n *dialtone.Network, l link.Link, name, address string, p *personality.Personality) *dialtone.Host {
	t.Helper()
	h, err := n.NewHost(name, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Attach("eth0", l, netip.MustParsePrefix(address)); err != nil {
		t.Fatal(err)
	}
	return h
}

func dialAndListen(t *testing.T, p *personality.Personality) {
	n, wire := dialtone.NewNetwork(), link.NewCable(0)
	a, b := hostOn(t, n, wire, "a", "10.0.0.1/24", p), hostOn(t, n, wire, "b", "10.0.0.2/24", p)
	l, err := b.Listen("tcp", "10.0.0.2:80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := io.WriteString(c, "hello"); err != nil {
			t.Error(err)
		}
		c.Close()
	}()
	c, err := a.Dial("tcp", "10.0.0.2:80")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := io.ReadAll(c); err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := a.Dial("tcp", "10.0.0.2:81"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a closed port: %v", err)
	}
	begin := time.Now()
	_, err = a.Dial("tcp", "10.0.0.99:80")
	if err == nil || time.Since(begin) < 3*time.Second {
		t.Errorf("a neighbour that is not there: %v after %v", err, time.Since(begin))
	}
}

// TestPersonalities_offerTheirOptions: TCP_INFO says which options both ends agreed on (TCPI_OPT_TIMESTAMPS 1, SACK 2,
// WSCALE 4). Linux's end offers all.
func TestPersonalities_offerTheirOptions(t *testing.T) {
	const tcpInfo, options = 11, 5
	for _, c := range []struct {
		p    *personality.Personality
		want byte
	}{
		{personality.Linux, 7}, {personality.FreeBSD, 7}, {personality.Darwin, 7}, {personality.BSD44, 5}, {personality.Linux20, 0},
	} {
		n, wire := dialtone.NewNetwork(), link.NewCable(0)
		client := hostOn(t, n, wire, "a", "10.0.0.1/24", c.p)
		server := hostOn(t, n, wire, "b", "10.0.0.2/24", personality.Linux)
		if _, err := server.Listen("tcp4", ":80"); err != nil {
			t.Fatal(err)
		}
		conn, err := client.Dial("tcp4", "10.0.0.2:80")
		if err != nil {
			t.Fatal(err)
		}
		info, e := conn.(*dialtone.Conn).Socket().Option(&socket.Call{}, 6, tcpInfo)
		if e != errno.OK {
			t.Fatal(e.Err())
		}
		if got := info[options] & 7; got != c.want {
			t.Errorf("%s: options %#x, want %#x", c.p.Name, got, c.want)
		}
	}
}
