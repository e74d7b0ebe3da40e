// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeAtEnd(t *testing.T, s *servers) {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestWeb(t *testing.T) {
	handler := webHandler("the page\n")
	for _, test := range []struct {
		path string
		code int
		body string
	}{
		{"/", 200, "the page\n"},
		{"/bytes/0", 200, ""},
		{"/bytes/30", 200, "abcdefghijklmnopqrstuvwxyz\nabc"},
		{"/bytes/100000", 200, strings.Repeat("abcdefghijklmnopqrstuvwxyz\n", 4000)[:100000]},
		{"/bytes/many", 400, "\"many\" is no number of bytes, expected one such as /bytes/1000\n"},
		{"/bytes/-1", 400, "\"-1\" is no number of bytes, expected one such as /bytes/1000\n"},
		{"/bytes/9223372036854775808", 400, "\"9223372036854775808\" is no number of bytes, expected one such as /bytes/1000\n"},
		{"/delay/0s", 200, "waited 0s\n"},
		{"/delay/5", 400, "\"5\" is no time, expected one such as /delay/1.5s\n"},
		{"/delay/-1s", 400, "\"-1s\" is no time, expected one such as /delay/1.5s\n"},
		{"/else", 404, "404 page not found\n"},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", test.path, nil))
		if w.Code != test.code || w.Body.String() != test.body {
			t.Errorf("%s: %d %q, want %d %q", test.path, w.Code, w.Body, test.code, test.body)
		}
	}
}

func TestDelayTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		w := httptest.NewRecorder()
		webHandler("").ServeHTTP(w, httptest.NewRequest("GET", "/delay/90s", nil))
		if took := time.Since(begin); took != 90*time.Second || w.Body.String() != "waited 1m30s\n" {
			t.Errorf("%q after %v", w.Body, took)
		}
	})
}

func TestLengthIsAnnounced(t *testing.T) {
	var s servers
	l := listen(t)
	s.web(l, webHandler(""))
	closeAtEnd(t, &s)
	r, err := http.Get("http://" + l.Addr().String() + "/bytes/70000")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if n, err := io.Copy(io.Discard, r.Body); n != 70000 || err != nil || r.ContentLength != 70000 {
		t.Errorf("%d bytes, %v, announced %d", n, err, r.ContentLength)
	}
}

func TestEcho(t *testing.T) {
	var s servers
	l := listen(t)
	s.accept(l, echo)
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.receive(p, func(datagram []byte) []byte { return datagram })
	closeAtEnd(t, &s)

	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("all of it")); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); string(b) != "all of it" || err != nil {
		t.Errorf("TCP: %q, %v", b, err)
	}

	u, err := net.Dial("udp", p.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for _, want := range []string{"one", "", "two"} {
		if _, err := u.Write([]byte(want)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 10)
		if n, err := u.Read(b); !bytes.Equal(b[:n], []byte(want)) || err != nil {
			t.Errorf("UDP: %q, %v, want %q", b[:n], err, want)
		}
	}
}

func TestReset(t *testing.T) {
	var s servers
	l := listen(t)
	s.accept(l, reset)
	closeAtEnd(t, &s)
	for _, say := range []string{"", "hello"} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte(say)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after %q: %v, want ECONNRESET", say, err)
		}
	}
}

// TestCloseEndsAll closes while a listener waits and a connection is open; nothing may be left that Close would wait for.
func TestCloseEndsAll(t *testing.T) {
	var s servers
	l := listen(t)
	s.accept(l, echo)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil { // now it is being served
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
	late := listen(t)
	s.accept(late, echo)
	if _, err := late.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a listener that came after Close: %v, want it closed", err)
	}
}

func TestCloseTellsWhatFailed(t *testing.T) {
	var s servers
	failure := errors.New("broken")
	done := make(chan struct{})
	l := failing{failure, done}
	s.accept(l, echo)
	<-done
	if err := s.Close(); !errors.Is(err, failure) {
		t.Errorf("%v, want %v", err, failure)
	}
}

// failing is a listener whose Accept fails at once.
type failing struct {
	err    error
	closed chan struct{}
}

func (f failing) Accept() (net.Conn, error) { return nil, f.err }
func (f failing) Close() error {
	close(f.closed)
	return nil
}
func (f failing) Addr() net.Addr { return nil }
