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

func dialAndListen(t *testing.T, p *personality.Personality) {
	n, wire := dialtone.NewNetwork(), link.NewCable(0)
	newHost := func(name, address string) *dialtone.Host {
		h, err := n.NewHost(name, p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Attach("eth0", wire, netip.MustParsePrefix(address)); err != nil {
			t.Fatal(err)
		}
		return h
	}
	a, b := newHost("a", "10.0.0.1/24"), newHost("b", "10.0.0.2/24")
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
		attach := func(name, address string, p *personality.Personality) *dialtone.Host {
			h, err := n.NewHost(name, p)
			if err == nil {
				_, err = h.Attach("eth0", wire, netip.MustParsePrefix(address))
			}
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		client, server := attach("a", "10.0.0.1/24", c.p), attach("b", "10.0.0.2/24", personality.Linux)
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
