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
	"dialtone/link"
	"dialtone/personality"
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
