// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"

	"dialtone"
)

// The AF_UNIX sockets of a crashed host answer as its TCP and UDP sockets do;
// their names are free, and the files stay.
func TestCrashTakesUnixSockets(t *testing.T) {
	for _, c := range []struct{ stream, dgram, name, mail string }{
		{"unix", "unixgram", "/tmp/service", "/tmp/mail"},
		{"unixpacket", "unixgram", "@service", "@mail"},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := dialtone.NewNetwork().Host("server.test")
			other := dialtone.NewNetwork().Host("other.test")
			listen := func(h *dialtone.Host) net.Listener {
				l, err := h.Listen(c.stream, c.name)
				if err != nil {
					t.Fatal(err)
				}
				return l
			}
			dial := func(h *dialtone.Host) net.Conn {
				conn, err := h.Dial(c.stream, c.name)
				if err != nil {
					t.Fatal(err)
				}
				return conn
			}
			l, elsewhere := listen(h), listen(other)
			defer l.Close()
			defer elsewhere.Close()
			client := dial(h)
			defer client.Close()
			server, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			if _, err := server.Write([]byte("never read")); err != nil {
				t.Fatal(err)
			}
			queued := dial(h) // nobody accepts it
			defer queued.Close()
			mail, err := h.ListenPacket(c.dgram, c.mail)
			if err != nil {
				t.Fatal(err)
			}
			defer mail.Close()
			sender, err := h.Dial(c.dgram, c.mail)
			if err != nil {
				t.Fatal(err)
			}
			defer sender.Close()
			if _, err := sender.Write([]byte("never read")); err != nil {
				t.Fatal(err)
			}
			read := make(chan error)
			go func() { _, err := server.Read(make([]byte, 1)); read <- err }()
			synctest.Wait()

			h.Crash()
			if err := <-read; !errors.Is(err, syscall.ENETDOWN) {
				t.Errorf("a read that waited: %v", err)
			}
			if _, err := l.Accept(); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("accept: %v", err)
			}
			for name, conn := range map[string]net.Conn{"client": client, "in the queue": queued, "datagrams, connected": sender} {
				if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ENETDOWN) {
					t.Errorf("%s: read: %v", name, err)
				}
			}
			if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("write after the error was told: %v", err)
			}
			if _, _, err := mail.ReadFrom(make([]byte, 1)); !errors.Is(err, syscall.ENETDOWN) {
				t.Errorf("datagrams: %v", err)
			}
			if _, err := h.Dial(c.stream, c.name); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial to what is gone: %v", err)
			}
			if c.name[0] == '/' {
				if err := h.Tree().Remove(c.name); err != nil {
					t.Errorf("the file did not stay: %v", err)
				}
			}

			h.Restart()
			again := listen(h)
			defer again.Close()
			if c.name[0] == '@' { // else it removes the file, as package net does
				l.Close() // the old one's end leaves the new one its name
			}
			dial(h).Close()
			dial(other).Close() // another host's are left alone
		})
	}
}
