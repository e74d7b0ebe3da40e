// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"dialtone"
	"dialtone/supervisor"
)

// hostedOperations are what unmodified programs do, on the running kernel and under the supervisor. The bytes between two of
// them on one host take a kernel socket (direct) or our TCP (pumped); those to a host of this process are always pumped.
var hostedOperations = []operation{
	{"hosted: connect+accept+close, 1 thread", "µs", true, hostedPeers, hostedConnects},
	{"hosted: redis-benchmark -c 50 GET", "/s", false, hostedPeers, hostedRedis},
	{"hosted: 64 KiB writes to a Go program's host", "MB/s", false, pumpedPeers, hostedBulk("upload", discard)},
	{"hosted: 64 KiB writes from a Go program's host", "MB/s", false, pumpedPeers, hostedBulk("download", generate)},
}

var (
	hostedPeers = []peer{
		{"native", native},
		{"dialtone direct", hosted(supervisor.Options{})},
		{"dialtone pumped", hosted(supervisor.Options{NeverDirect: true})},
	}
	pumpedPeers = []peer{hostedPeers[0], hostedPeers[2]}
)

// native runs programs on the running kernel.
func native() (*ends, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	run := func(argv ...string) (string, error) {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		return string(out), err
	}
	return &ends{listener: l, run: run, close: func() {}}, nil
}

// hosted returns how to run programs on a virtual host, beside one of this process.
func hosted(opts supervisor.Options) func() (*ends, error) {
	return func() (*ends, error) {
		n := dialtone.NewNetwork()
		l, err := n.Host("web.test").Listen("tcp4", "web.test:80")
		if err != nil {
			return nil, err
		}
		s, err := supervisor.New(opts)
		if err != nil {
			return nil, err
		}
		stack := n.Host("here.test").Stack()
		run := func(argv ...string) (string, error) {
			r, w, err := os.Pipe()
			if err != nil {
				return "", err
			}
			defer r.Close()
			out := make(chan string)
			go func() {
				b, _ := io.ReadAll(r) // what is missing is missed by whoever reads the figure
				out <- string(b)
			}()
			status, err := s.Run(context.Background(), supervisor.Program{Argv: argv, Stack: stack, Stdout: w, Stderr: os.Stderr})
			w.Close()
			text := <-out
			if err == nil && status != 0 {
				err = fmt.Errorf("%s: exit status %d", argv[0], status)
			}
			return text, err
		}
		return &ends{listener: l, run: run, close: s.Close}, nil
	}
}

// hostedConnects measures the microseconds of a connect+accept+close in a program of one thread that makes 1,000.
func hostedConnects(e *ends, span time.Duration) (float64, error) {
	const times = 1000
	took, err := e.medianTime(span, "connections", strconv.Itoa(times))
	return took.Seconds() * 1e6 / times, err
}

// hostedBulk measures the MB (10^6 bytes) a second between a program and a server in this process.
func hostedBulk(role string, serve func(net.Listener)) func(*ends, time.Duration) (float64, error) {
	return func(e *ends, span time.Duration) (float64, error) {
		const times = 2000
		go serve(e.listener)
		took, err := e.medianTime(span, role, strconv.Itoa(times), e.listener.Addr().String())
		return times * bulkSize / 1e6 / took.Seconds(), err
	}
}

// medianTime runs a role of this program (roles_linux_amd64.go) for as long as span, and returns the median of the times
// that it says it took.
func (e *ends) medianTime(span time.Duration, role string, args ...string) (time.Duration, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	var all []time.Duration
	for begin := time.Now(); len(all) == 0 || time.Since(begin) < span; {
		out, err := e.run(append([]string{self, roleArgument, role}, args...)...)
		if err != nil {
			return 0, err
		}
		took, err := time.ParseDuration(out)
		if err != nil {
			return 0, fmt.Errorf("%s printed %q: %w", role, out, err)
		}
		all = append(all, took)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// redisScript starts a server and a client on one host; the port is one that native programs may have, too.
const redisScript = `
d=$(mktemp -d); trap 'rm -rf $d' EXIT; cd $d
redis-server --port $0 --protected-mode no --save '' >log & server=$!
until redis-cli -p $0 ping >/dev/null 2>&1; do :; done
redis-benchmark -p $0 -c 50 -n 100000 -t get --csv
redis-cli -p $0 shutdown nosave
wait $server`

// hostedRedis measures how many GETs a second redis-benchmark gets from redis-server with 50 connections.
func hostedRedis(e *ends, _ time.Duration) (float64, error) {
	for _, program := range []string{"redis-server", "redis-cli", "redis-benchmark"} {
		if _, err := exec.LookPath(program); err != nil {
			return 0, err
		}
	}
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	out, err := e.run("sh", "-c", redisScript, port)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(out) { // "GET","123456.78",latencies
		if fields := strings.Split(line, ","); len(fields) > 1 && fields[0] == `"GET"` {
			return strconv.ParseFloat(strings.Trim(strings.TrimSpace(fields[1]), `"`), 64)
		}
	}
	return 0, fmt.Errorf("redis-benchmark printed no line for GET: %q", out)
}

// freePort returns a port of the running kernel's that nothing listens at.
func freePort() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// generate sends bytes for as long as somebody takes them, and discard reads what comes and answers its end with a byte.
// Both end with the listener.
func generate(l net.Listener) {
	serve(l, func(c net.Conn) {
		chunk := make([]byte, bulkSize)
		for {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	})
}

func discard(l net.Listener) {
	serve(l, func(c net.Conn) {
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 4*bulkSize)); err == nil {
			_, _ = c.Write([]byte{1}) // else the role says that it is missing
		}
	})
}

func serve(l net.Listener, one func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				fmt.Fprintln(os.Stderr, "bench:", err)
			}
			return
		}
		one(c)
		c.Close()
	}
}
