// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/rpc"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
)

// The standard library's own users of package net, each by its own hook, in virtual time.

// get fetches a page over a transport, with the idle connections closed at the end.
func get(t *testing.T, transport *http.Transport, url string) string {
	t.Helper()
	defer transport.CloseIdleConnections()
	r, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return r.Proto + " " + string(b)
}

func greet(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello "+r.Host) }

// httptest.Server takes a listener; its client is told whom to dial.
func TestHTTPTestServer(t *testing.T) {
	for _, c := range []struct {
		name  string
		start func(*httptest.Server)
		want  string
	}{
		{"HTTP/1.1", (*httptest.Server).Start, "HTTP/1.1 hello example.com:80"},
		{"TLS", (*httptest.Server).StartTLS, "HTTP/1.1 hello example.com:80"},
		{"HTTP/2", func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() }, "HTTP/2.0 hello example.com:80"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := dialtone.NewNetwork()
				n.Hub().SetLatency(10 * time.Millisecond)
				l, err := n.Host("example.com").Listen("tcp", ":80")
				if err != nil {
					t.Fatal(err)
				}
				s := httptest.NewUnstartedServer(http.HandlerFunc(greet))
				s.Listener.Close()
				s.Listener = l
				c.start(s)
				defer s.Close()
				client := n.Host("client.test")
				transport := s.Client().Transport.(*http.Transport).Clone()
				transport.DialContext = client.DialContext
				scheme := "http"
				if s.TLS != nil {
					scheme = "https"
				}
				if got := get(t, transport, scheme+"://example.com:80/"); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// HTTP over a UNIX socket.
func TestHTTPOverUnix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := dialtone.NewNetwork().Host("host.test")
		l, err := h.Listen("unix", "/tmp/http")
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: http.HandlerFunc(greet)}
		go s.Serve(l)
		defer s.Close()
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return h.DialContext(ctx, "unix", "/tmp/http")
		}}
		if got := get(t, transport, "http://any/"); got != "HTTP/1.1 hello any" {
			t.Errorf("got %q", got)
		}
	})
}

// http.Client's timeout, and a server that shuts down while it serves.
func TestHTTPTimeoutAndShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		l, err := n.Host("slow.test").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Minute):
				io.WriteString(w, "at last")
			}
		})}
		go s.Serve(l)
		transport := &http.Transport{DialContext: n.Host("client.test").DialContext}
		defer transport.CloseIdleConnections()
		before := time.Now()
		_, err = (&http.Client{Transport: transport, Timeout: time.Second}).Get("http://slow.test/")
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() || time.Since(before) != time.Second {
			t.Errorf("%v after %v", err, time.Since(before))
		}
		go s.Shutdown(t.Context())
		synctest.Wait()
		if _, err := (&http.Client{Transport: transport}).Get("http://slow.test/"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("after Shutdown: %v", err)
		}
	})
}

// TLS by hand: the certificate is httptest's.
func TestTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		donor := httptest.NewUnstartedServer(nil)
		defer donor.Listener.Close()
		donor.Listener.Close()
		n := dialtone.NewNetwork()
		first, err := n.Host("example.com").Listen("tcp", ":1")
		if err != nil {
			t.Fatal(err)
		}
		donor.Listener = first
		donor.StartTLS()
		certificates, roots := donor.TLS.Certificates, x509.NewCertPool()
		roots.AddCert(donor.Certificate())
		donor.Close()

		inner, err := n.Host("example.com").Listen("tcp", ":443")
		if err != nil {
			t.Fatal(err)
		}
		l := tls.NewListener(inner, &tls.Config{Certificates: certificates})
		defer l.Close()
		go func() {
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			io.Copy(c, c)
			c.Close()
		}()
		raw, err := n.Host("client.test").Dial("tcp", "example.com:443")
		if err != nil {
			t.Fatal(err)
		}
		// Certificates of 1970 to 2084 hold in a bubble's time too, which begins in 2000.
		c := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: "example.com"})
		defer c.Close()
		if _, err := c.Write([]byte("secret")); err != nil {
			t.Fatal(err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(c); string(b) != "secret" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
	})
}

// Adder is served by net/rpc.
type Adder struct{}

// Add adds.
func (Adder) Add(terms []int, sum *int) error {
	for _, x := range terms {
		*sum += x
	}
	return nil
}

func TestRPC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		l, err := n.Host("server.test").Listen("tcp", ":1234")
		if err != nil {
			t.Fatal(err)
		}
		s := rpc.NewServer()
		if err := s.Register(Adder{}); err != nil {
			t.Fatal(err)
		}
		go func() {
			defer l.Close()
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			s.ServeConn(c)
		}()
		c, err := n.Host("client.test").Dial("tcp", "server.test:1234")
		if err != nil {
			t.Fatal(err)
		}
		client := rpc.NewClient(c)
		defer client.Close()
		var sum int
		if err := client.Call("Adder.Add", []int{1, 2, 3}, &sum); err != nil || sum != 6 {
			t.Errorf("sum %d, %v", sum, err)
		}
	})
}
