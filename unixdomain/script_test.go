// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"time"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
	"dialtone/unixdomain"
)

// world is one host, with sockets known by names, for tests that read as a list of calls and their results.
type world struct {
	t       *testing.T
	clock   *clock.Manual
	core    *socket.Core
	tree    *unixdomain.Tree
	unix    *unixdomain.Space
	sockets map[string]*socket.Socket
	caller  *socket.Caller
	trail   *trail.Trail // of the last connect
	pending map[string]*pending
}

// pending is a call that runs in a goroutine of the clock's.
type pending struct {
	caller *socket.Caller
	result string
	at     time.Duration
	done   bool
}

func newWorld(t *testing.T, p *personality.Personality) *world {
	m := clock.NewManual()
	w := &world{
		t: t, clock: m, core: socket.NewCore(m, p), tree: unixdomain.NewTree(),
		sockets: map[string]*socket.Socket{}, pending: map[string]*pending{},
		caller: &socket.Caller{PID: 1, Caps: socket.AllCaps, Umask: 0o022},
	}
	w.unix = unixdomain.New(w.core, w.tree)
	return w
}

// run carries out a script on a fresh host of Linux's; see world.step for its lines.
func run(t *testing.T, script string) *world {
	t.Helper()
	w := newWorld(t, personality.Linux)
	w.run(script)
	return w
}

func (w *world) run(script string) {
	w.t.Helper()
	for n, line := range strings.Split(script, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		call, want, asked := strings.Cut(line, " = ")
		got := w.step(strings.Fields(call))
		if !asked {
			want = "0"
		}
		if want = strings.TrimSpace(want); got != want {
			w.t.Errorf("line %d: %s = %s, want %s", n+1, call, got, want)
		}
	}
}

func (w *world) call() *socket.Call { return &socket.Call{Caller: w.caller} }

// address reads /path, rel/path, @abstract, unspec, inet, and auto (the family alone).
func address(word string) []byte {
	switch word {
	case "unspec":
		return make([]byte, 16)
	case "inet":
		return append([]byte{2, 0}, make([]byte, 14)...)
	case "auto":
		return []byte{1, 0}
	}
	if word[0] == '@' {
		word = "\x00" + word[1:]
	}
	return sockaddr.OfUnix(word).Append(nil)
}

var types = map[string]socket.Type{
	"stream": socket.Stream, "dgram": socket.Dgram, "seqpacket": socket.SeqPacket, "raw": socket.Raw, "rdm": 4,
}

// step does one call and returns its result: an errno's name, a number of bytes, or what was asked.
func (w *world) step(f []string) string {
	verb, arg := f[0], f[1:]
	if e, known := w.fileStep(verb, arg); known {
		return e
	}
	switch verb {
	case "qlen":
		w.unix.SetMaxDatagrams(number(arg[0]))
		return "0"
	case "as": // as UID GID, without capabilities; or as root
		w.caller = &socket.Caller{PID: 1, Caps: socket.AllCaps, Umask: 0o022}
		if arg[0] != "root" {
			w.caller.Caps, w.caller.UID, w.caller.GID = 0, uint32(number(arg[0])), uint32(number(arg[1]))
		}
		return "0"
	case "cd":
		w.caller.Dir = arg[0]
		return "0"
	case "advance":
		d, err := time.ParseDuration(arg[0])
		if err != nil {
			w.t.Fatal(err)
		}
		w.clock.Advance(d)
		return "0"
	case "socket":
		s, e := w.core.NewSocket(w.call(), sockaddr.Unix, types[arg[1]], 0)
		if e != errno.OK {
			return e.Name()
		}
		s.SetNonBlocking(len(arg) > 2)
		w.sockets[arg[0]] = s
		return "0"
	case "renew": // a new one, which doesn't block, instead of one that is closed
		w.step([]string{"close", arg[0]})
		return w.step([]string{"socket", arg[0], arg[1], "nonblocking"})
	case "pair":
		a, b, e := w.core.NewPair(w.call(), sockaddr.Unix, types[arg[2]], 0)
		w.sockets[arg[0]], w.sockets[arg[1]] = a, b
		return e.Name()
	case "go": // go connect s ...: the call may wait
		p := &pending{caller: w.caller.Fork()}
		w.pending[arg[1]] = p
		inner := *w
		inner.caller = p.caller
		w.clock.Go(func() {
			p.result = inner.step(arg)
			p.at, p.done = w.clock.Now(), true
		})
		w.clock.Settle()
		return "0"
	case "await": // await s = result at time; "waits" if it still does
		w.clock.Settle()
		p := w.pending[arg[0]]
		if !p.done {
			return "waits"
		}
		return fmt.Sprintf("%s at %v", p.result, p.at)
	case "signal": // signal s [restart]
		w.pending[arg[0]].caller.Interrupt(w.core, len(arg) > 1)
		w.clock.Settle()
		return "0"
	}
	return w.socketStep(verb, w.socket(arg[0]), arg[1:])
}

func (w *world) socket(name string) *socket.Socket {
	s := w.sockets[name]
	if s == nil {
		w.t.Fatalf("there is no socket %s", name)
	}
	return s
}

func (w *world) socketStep(verb string, s *socket.Socket, arg []string) string {
	c := w.call()
	switch verb {
	case "bind":
		return socket.Bind(c, w.core.Personality, s, sockaddr.Bytes(address(arg[0]))).Name()
	case "listen":
		return s.Listen(c, number(arg[0])).Name()
	case "connect":
		w.trail = &trail.Trail{}
		c.Trail = w.trail
		return socket.Connect(c, w.core.Personality, s, sockaddr.Bytes(address(arg[0]))).Name()
	case "accept":
		fresh, e := s.Accept(c)
		if e == errno.OK {
			w.sockets[arg[0]] = fresh
		}
		return e.Name()
	case "send", "sendto":
		m := &socket.Message{Data: []byte(arg[0])}
		if verb == "sendto" {
			m.To = address(arg[1])
		}
		return amount(s.Send(c, m))
	case "recv", "peek", "read": // read alone waits
		m := &socket.Message{Data: make([]byte, 100)}
		m.Flags = map[string]int{"recv": socket.MsgDontWait, "peek": socket.MsgDontWait | socket.MsgPeek}[verb]
		n, e := s.Recv(c, m)
		if e != errno.OK || n == 0 {
			return amount(n, e)
		}
		return strconv.Quote(string(m.Data[:n]))
	case "flood": // so many bytes
		return amount(s.Send(c, &socket.Message{Data: make([]byte, number(arg[0]))}))
	case "drain":
		return amount(s.Recv(c, &socket.Message{Data: make([]byte, 1<<20)}))
	case "option":
		value, e := s.Option(c, socket.SolSocket, number(arg[0]))
		if e != errno.OK {
			return e.Name()
		}
		return strconv.Itoa(socket.IntValue(value))
	case "sndbuf":
		return s.SetOption(c, socket.SolSocket, socket.SoSndBuf, socket.Int(number(arg[0]))).Name()
	case "peercred": // whether it is known
		value, e := s.Option(c, socket.SolSocket, socket.SoPeerCred)
		if e != errno.OK {
			return e.Name()
		}
		return strconv.FormatBool(socket.IntValue(value) != 0)
	case "poll":
		p := []socket.PollFile{{Socket: s, Events: socket.In | socket.Pri | socket.Out | socket.RdHup | socket.Always}}
		if len(arg) > 0 {
			p[0].Events = socket.Out | socket.Always
		}
		timeout := time.Duration(-min(len(arg), 1)) // "poll s out" waits for OUT
		if _, e := socket.Poll(c, w.core, p, timeout); e != errno.OK {
			return e.Name()
		}
		return p[0].Revents.String()
	case "name", "peer":
		a, e := s.Name(c)
		if verb == "peer" {
			a, e = s.Peer(c)
		}
		if e != errno.OK {
			return e.Name()
		}
		return a.String()
	case "error":
		return s.Error().Name()
	case "nonblocking":
		s.SetNonBlocking(arg[0] == "on")
	case "passcred":
		return s.SetOption(c, socket.SolSocket, socket.SoPassCred, socket.Bool(arg[0] == "on")).Name()
	case "sndtimeo":
		d, err := time.ParseDuration(arg[0])
		if err != nil {
			w.t.Fatal(err)
		}
		return s.SetOption(c, socket.SolSocket, socket.SoSndTimeo, socket.Timeval(d)).Name()
	case "shutdown":
		return s.Shutdown(c, map[string]socket.How{"RD": socket.ShutRD, "WR": socket.ShutWR, "RDWR": socket.ShutRDWR}[arg[0]]).Name()
	case "close":
		s.Close(c)
	default:
		w.t.Fatalf("what is %q?", verb)
	}
	return "0"
}

// fileStep does what changes the tree.
func (w *world) fileStep(verb string, arg []string) (result string, known bool) {
	var err error
	switch verb {
	case "mkdir":
		err = w.tree.Mkdir(arg[0], mode(arg[1]))
	case "file":
		err = w.tree.Create(arg[0], 0o644)
	case "fifo":
		err = w.tree.Mkfifo(arg[0], 0o644)
	case "device":
		err = w.tree.Mknod(arg[0], fs.ModeCharDevice|0o666)
	case "symlink":
		err = w.tree.Symlink(arg[0], arg[1])
	case "link":
		err = w.tree.Link(arg[0], arg[1])
	case "chmod":
		err = w.tree.Chmod(arg[0], mode(arg[1]))
	case "chown":
		err = w.tree.Chown(arg[0], number(arg[1]), number(arg[2]))
	case "remove":
		err = w.tree.Remove(arg[0])
	case "rename":
		err = w.tree.Rename(arg[0], arg[1])
	case "readonly":
		err = w.tree.SetReadOnly(arg[0], arg[1] == "on")
	case "fail":
		e, _ := errno.Named(arg[1])
		err = w.tree.Fail(arg[0], e)
	default:
		return "", false
	}
	return name(err), true
}

// name returns the errno's name that an error of the tree's wraps.
func name(err error) string {
	for e, i := errno.OK, 0; i < 200; e, i = e+1, i+1 {
		if err == nil || isErrno(err, e) {
			return e.Name()
		}
	}
	return err.Error()
}

func amount(n int, e errno.Errno) string {
	if e != errno.OK {
		return e.Name()
	}
	return strconv.Itoa(n)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func mode(s string) fs.FileMode {
	n, err := strconv.ParseUint(s, 8, 32)
	if err != nil {
		panic(err)
	}
	return fs.FileMode(n)
}

func itoa(n int) string { return strconv.Itoa(n) }
