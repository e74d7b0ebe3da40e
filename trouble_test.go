// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/errno"
	"dialtone/link"
)

// Links are cut, rules and faults come and go, the server crashes and restarts, while eight clients dial and talk. Every
// dial ends, with an error that this trouble explains; once it is over all is as before. Run it with -race.
func TestTroubleWhileBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		n.Hub().SetLatency(2 * time.Millisecond)
		server := n.Host("server.test")
		done := make(chan struct{})
		var clients, servers sync.WaitGroup
		servers.Go(func() { keepServing(server, done) })
		outcomes := map[string]int{}
		var mu sync.Mutex
		for range 8 {
			client := n.Host("client" + string(rune('a'+len(n.Hosts()))) + ".test")
			clients.Go(func() {
				for range 50 {
					time.Sleep(20 * time.Millisecond) // of the bubble: so that refusals don't use up all fifty at once
					outcome := talk(client)
					mu.Lock()
					outcomes[outcome]++
					mu.Unlock()
				}
			})
		}
		servers.Go(func() { makeTrouble(n, server, done) })
		clients.Wait()
		close(done)
		server.Crash() // ends the listener
		servers.Wait()
		server.Restart()
		if err := n.Impair(); err != nil {
			t.Fatal(err)
		}
		n.Hub().Heal()

		for outcome, times := range outcomes {
			t.Logf("%4d %s", times, outcome)
		}
		if outcomes["ok"] < 50 || outcomes["ok"] > 390 {
			t.Errorf("%d of 400 went well, want some and not all", outcomes["ok"])
		}
		for outcome := range outcomes {
			if !explained[outcome] {
				t.Errorf("nothing explains %q", outcome)
			}
		}
		again := make(chan struct{})
		servers.Go(func() { keepServing(server, again) })
		synctest.Wait()
		if outcome := talk(n.Host("after.test")); outcome != "ok" {
			t.Errorf("after the trouble: %s", outcome)
		}
		close(again)
		server.Crash()
		servers.Wait()
	})
}

// explained are the ends of a talk that the trouble can make.
var explained = map[string]bool{
	"ok": true, "timeout": true, "end": true, "ECONNREFUSED": true, "ECONNRESET": true, "EPIPE": true,
	"EHOSTUNREACH": true, "ENETDOWN": true,
}

// talk dials, sends and reads an echo, and says how it ended.
func talk(client *dialtone.Host) string {
	d := dialtone.Dialer{Host: client, Timeout: time.Second}
	c, err := d.Dial("tcp", "server.test:80")
	if err == nil {
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Second))
		if _, err = c.Write([]byte("hello")); err == nil {
			b := make([]byte, 5)
			if _, err = io.ReadFull(c, b); err == nil && string(b) == "hello" {
				return "ok"
			}
		}
	}
	var ne net.Error
	var number syscall.Errno
	switch {
	case err == nil:
		return "wrong bytes"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "end"
	case errors.As(err, &number):
		for _, e := range []errno.Errno{
			errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, errno.EHOSTUNREACH, errno.ENETDOWN,
		} {
			if e.Syscall() == number {
				return e.Name()
			}
		}
		return number.Error()
	case errors.As(err, &ne) && ne.Timeout():
		return "timeout"
	}
	return err.Error()
}

// keepServing echoes on port 80, and listens again when the host has crashed, until it is done.
func keepServing(h *dialtone.Host, done chan struct{}) {
	for {
		l, err := h.Listen("tcp", ":80")
		for err == nil {
			var c net.Conn
			if c, err = l.Accept(); err == nil {
				go func() {
					io.Copy(c, c)
					c.Close()
				}()
			}
		}
		if l != nil {
			l.Close()
		}
		select {
		case <-done:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// makeTrouble does one thing after another, until it is done.
func makeTrouble(n *dialtone.Network, server *dialtone.Host, done chan struct{}) {
	chance := rand.New(rand.NewPCG(1, 2))
	remove := func() {}
	for {
		switch chance.IntN(8) {
		case 0:
			n.Hub().Cut()
		case 1:
			n.Impair(link.Rule{Action: link.Reset})
		case 2:
			n.Impair(link.Rule{Action: link.Unreachable})
		case 3:
			n.Impair(link.Rule{Effect: link.Effect{Loss: 0.3, Jitter: 10 * time.Millisecond, Duplicate: 0.2}})
		case 4:
			remove()
			remove, _ = n.Fault(dialtone.Fault{To: "server.test", Times: 3, Errno: errno.ENETDOWN})
		case 5:
			server.Crash()
			time.Sleep(20 * time.Millisecond)
			server.Restart()
		default:
			n.Hub().Heal()
			n.Impair()
		}
		select {
		case <-done:
			remove()
			return
		case <-time.After(time.Duration(chance.IntN(60)) * time.Millisecond):
		}
	}
}

// TestWriteNobodyReads is what the package doc says: TCP goes on to ask for a window (RFC 9293, 3.8.6.1), so the bubble's time
// goes on as well, and a deadline ends the wait.
func TestWriteNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		l, err := n.Host("server.test").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, err := n.Host("client.test").Dial("tcp", "server.test:80")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		const wait = 1000 * time.Hour
		begin := time.Now()
		c.SetWriteDeadline(begin.Add(wait))
		if _, err := c.Write(make([]byte, 10<<20)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != wait {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}
