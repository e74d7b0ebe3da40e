// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// startRole starts a role of the test binary on here, which writes to w.
func (v *virtual) startRole(t *testing.T, w *os.File, name string, args ...string) *Target {
	t.Helper()
	target, err := v.sup.Start(Program{
		Argv: append([]string{selfPath(t)}, args...), Env: append(os.Environ(), roleVariable+"="+name),
		Stdout: w, Stderr: w, Stack: v.here.Stack(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// A program learns of a connect's end after the explanation has been written,
// so that the two come in this order on one terminal.
func TestExplanationComesFirst(t *testing.T) {
	r, w := pipe(t)
	v := newVirtual(t, Options{Explain: func(e Explanation) { fmt.Fprintln(w, "explained", e.Errno) }})
	v.serveEcho(t)
	target := v.startRole(t, w, "says", v.webIP())
	if status, err := target.Wait(); status != 0 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
	w.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("explained ECONNREFUSED\nblocking ECONNREFUSED\nexplained ECONNREFUSED\npolled 111\n", 5) +
		strings.Repeat("explained \nblocking ok\nexplained \npolled 0\n", 5)
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func roleSays() int {
	for _, port := range []int{81, 7} {
		to := &unix.SockaddrInet4{Addr: [4]byte(parseIPv4(argument(1))), Port: port}
		for range 5 {
			step("blocking", unix.Connect(stream(), to))
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
			must(err)
			if e := unix.Connect(fd, to); e != unix.EINPROGRESS {
				panic(e)
			}
			writable(fd, -1)
			e, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
			must(err)
			step("polled", e)
		}
	}
	return 0
}

// While nobody reads the explanations only those who wait for them wait; the
// end waits for all that were told.
func TestNobodyReadsExplanations(t *testing.T) {
	reached, read := make(chan struct{}, 1), make(chan struct{})
	told := 0
	v := newVirtual(t, Options{Explain: func(Explanation) {
		if told++; told == 1 {
			reached <- struct{}{}
			<-read
		}
	}})
	r, w := pipe(t)
	target := v.startRole(t, w, "says", v.webIP())
	<-reached
	otherR, otherW := pipe(t)
	other := v.startRole(t, otherW, "closedquietly")
	otherW.Close()
	if got, err := io.ReadAll(otherR); err != nil || string(got) != "bind ok\nlisten ok\n" {
		t.Errorf("another program got %q, %v", got, err)
	}
	select {
	case <-target.Done():
		t.Error("it did not wait for its explanation")
	default:
	}
	close(read)
	w.Close()
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Error(err)
	}
	if status, err := target.Wait(); status != 0 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
	if status, err := other.Wait(); status != 0 || err != nil {
		t.Errorf("the other's status %d, %v", status, err)
	}
	if told != 20 {
		t.Errorf("%d explanations, want 20", told)
	}
}

func roleClosedQuietly() int {
	l := stream()
	step("bind", unix.Bind(l, &unix.SockaddrInet4{Addr: loopback, Port: 4000}))
	step("listen", unix.Listen(l, 5))
	return 0
}

// A full queue loses explanations that nobody waits for, and says how many;
// what waits is never lost, and the order stays.
func TestTellerFull(t *testing.T) {
	reached, read := make(chan struct{}, 1), make(chan struct{})
	var got []int
	var warnings []string
	s := &Supervisor{opts: Options{
		Warn: func(text string) { warnings = append(warnings, text) },
		Explain: func(e Explanation) {
			if e.PID == 0 {
				reached <- struct{}{}
				<-read
			}
			got = append(got, e.PID)
		},
	}}
	tl := newTeller(s)
	tl.add(telling{explanation: &Explanation{}})
	<-reached
	for i := 1; i <= maxTellings+3; i++ {
		tl.add(telling{explanation: &Explanation{PID: i}})
	}
	tl.add(telling{then: func() { got = append(got, -1) }})
	close(read)
	tl.drain()
	tl.close()
	if len(got) != maxTellings+2 || got[maxTellings] != maxTellings || got[maxTellings+1] != -1 {
		t.Errorf("%d were told, the last %v", len(got), got[len(got)-2:])
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "of 3 connects") {
		t.Errorf("warnings %q", warnings)
	}
}
