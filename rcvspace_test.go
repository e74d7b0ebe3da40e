// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// download has server.test send to client.test as long as more says so, given the bytes that it has sent, and returns how
// many arrived and how long they took. prepare, if not nil, is given the client's end first.
func download(t *testing.T, n *Network, more func(sent int) bool, prepare func(net.Conn)) (got int64, took time.Duration) {
	t.Helper()
	l, err := n.Host("server.test").Listen("tcp4", ":80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		s, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		chunk := make([]byte, 64<<10)
		for sent := 0; more(sent); sent += len(chunk) {
			if _, err := s.Write(chunk); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	c, err := n.Host("client.test").Dial("tcp4", "server.test:80")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if prepare != nil {
		prepare(c)
	}
	began := time.Now()
	got, err = io.Copy(io.Discard, c)
	if err != nil {
		t.Fatal(err)
	}
	return got, time.Since(began)
}

// overLongWay returns how long size bytes take over a link with a round trip of 100 ms.
func overLongWay(t *testing.T, size int, prepare func(net.Conn)) (took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.Hub().SetLatency(50 * time.Millisecond)
		var got int64
		got, took = download(t, n, func(sent int) bool { return sent < size }, prepare)
		if got != int64(size) {
			t.Errorf("%d of %d bytes", got, size)
		}
	})
	return took
}

// The window grows with what its reader takes, and so does the pace over a long way; with SO_RCVBUF it stays.
func TestReceiveBufferGrows(t *testing.T) {
	const size = 32 << 20
	grown := overLongWay(t, size, nil)
	if grown > 3*time.Second {
		t.Errorf("32 MiB took %v over a round trip of 100 ms", grown)
	}
	fixed := overLongWay(t, size, func(c net.Conn) {
		if err := c.(*Conn).SetReadBuffer(64 << 10); err != nil {
			t.Fatal(err)
		}
	})
	if fixed < 20*time.Second {
		t.Errorf("with SO_RCVBUF of 64 KiB, doubled, 32 MiB took %v", fixed)
	}
	t.Logf("%v, and %v with SO_RCVBUF", grown, fixed)
}
