// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// A Supervisor hosts programs. Programs under one supervisor reach each other
// at the kernel's speed; see the package comment.
type Supervisor struct {
	opts    Options
	serve   func(*call)
	threads bool // pidfd_open(2) knows PIDFD_THREAD
	warned  sync.Map
	prefix  string // of our abstract names
	loop    *loop
	ghosts  ghosts
	plugs   *plugs
	teller  *teller

	// mu guards what follows and every hosted socket. It is taken before a
	// host's lock, and never held while a call waits.
	mu        sync.Mutex
	lastID    uint64
	byCookie  map[uint64]*hosted
	byID      map[uint64]*hosted
	listeners map[*hosted]bool
	targets   map[*Target]bool
	kept      map[*hosted]bool // see reset.go
	senders   senders
	envelopes envelopes
	asides    asides
	arrivals  arrivals
	harvester *time.Timer // set while there are sockets
	closed    bool
	chunk     [pumpChunk]byte // the loop's buffer
	record    []byte          // for one of SOCK_SEQPACKET; nil: there was none yet
}

// New makes a supervisor, or says what the running kernel lacks.
func New(opts Options) (*Supervisor, error) {
	if err := checkNotifSizes(); err != nil {
		return nil, err
	}
	ghosts, err := newGhosts()
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	loop, err := newLoop()
	if err != nil {
		ghosts.close()
		return nil, fmt.Errorf("start the event loop: %w", err)
	}
	prefix := "dialtone/" + rand.Text() + "/" // hard to guess: every local process sees abstract names
	plugs, e := newPlugs(unix.SOCK_STREAM, prefix+"plugs")
	if e != 0 {
		ghosts.close()
		loop.close()
		return nil, fmt.Errorf("bind an AF_UNIX socket: %w", e)
	}
	s := &Supervisor{
		opts:      opts,
		threads:   pidfdThreadKnown(),
		prefix:    prefix,
		plugs:     plugs,
		loop:      loop,
		ghosts:    ghosts,
		byCookie:  map[uint64]*hosted{},
		byID:      map[uint64]*hosted{},
		listeners: map[*hosted]bool{},
		targets:   map[*Target]bool{},
		kept:      map[*hosted]bool{},
		senders:   senders{fds: map[source]*sender{}},
	}
	s.serve = s.dispatch
	s.teller = newTeller(s)
	return s, nil
}

// Close frees what the supervisor holds. Its programs must have ended.
func (s *Supervisor) Close() {
	s.mu.Lock()
	s.closed = true
	for _, h := range s.byID {
		h.forget()
	}
	s.mu.Unlock()
	s.teller.close()
	s.loop.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.senders.close()
	s.envelopes.close()
	s.plugs.close()
	s.ghosts.close()
}

// warn reports something that the user should know once.
func (s *Supervisor) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if _, again := s.warned.LoadOrStore(text, true); !again && s.opts.Warn != nil {
		s.opts.Warn(text)
	}
}

// warnUnreachable reports a process that the kernel shields from us.
func (s *Supervisor) warnUnreachable(tid int, call string) {
	s.warn("process %d cannot be hosted (%s: operation not permitted): its program is executable but not readable, or it runs as another user", tid, call)
}

// A Target is a started program with all its descendants.
type Target struct {
	sup     *Supervisor
	program Program
	caller  *socket.Caller
	proc    *process
	callers callers
	parking parking
	replays map[int]reply // by thread; the supervisor's lock guards it
	lineage lineage       // the reader's
	reader  atomic.Int64  // thread id of the reader while it reads
	ended   atomic.Bool   // no process is left, or none that we can reach
	done    chan struct{}
	status  unix.WaitStatus
	err     error
}

// Start starts a program. A *StartError says that, and why, there is none.
func (s *Supervisor) Start(p Program) (*Target, error) {
	if len(p.Argv) == 0 {
		return nil, &StartError{Status: 127, Reason: "no program is given"}
	}
	proc, err := startShim(&p)
	if err != nil {
		return nil, err
	}
	if !proc.listener.addFDSendKnown() {
		proc.end()
		return nil, errors.New("this kernel's seccomp user notification lacks SECCOMP_ADDFD_FLAG_SEND; Linux 5.14 or later is needed")
	}
	_ = proc.listener.syncWakeUp() // EINVAL before Linux 6.6: slower, nothing else
	caller := p.Caller
	caller.PID, caller.Name = proc.shim, commandName(p.Argv[0])
	t := &Target{
		sup:     s,
		program: p,
		caller:  &caller,
		proc:    proc,
		replays: map[int]reply{},
		callers: callers{threads: s.threads, most: mostCallers(), pidfds: map[int]callerFD{}},
		done:    make(chan struct{}),
	}
	t.lineage = newLineage(t)
	s.mu.Lock()
	s.targets[t] = true
	s.mu.Unlock()
	readerDone := make(chan struct{})
	go func() {
		defer close(readerDone)
		t.read()
	}()
	// The exec itself already passes the filter: the reader must run.
	if err = proc.release(); err != nil {
		proc.kill()
	}
	go t.monitor(readerDone)
	if err != nil {
		<-t.done
		return nil, err
	}
	return t, nil
}

// monitor waits for the program's end and then ends all that is left of it.
func (t *Target) monitor(readerDone <-chan struct{}) {
	t.status, t.err = t.proc.wait()
	t.proc.kill()
	t.proc.reapKeeper()
	t.ended.Store(true)
	// With the last process gone, the reader sees the end (Linux 6.11) or
	// waits for ever (before): a signal brings it back from the kernel. The
	// signal is lost if the reader is not yet there, so it is repeated.
	tick := time.NewTicker(time.Millisecond)
	for ended := false; !ended; {
		select {
		case <-readerDone:
			ended = true
		case <-tick.C:
			if tid := t.reader.Load(); tid != 0 {
				_ = unix.Tgkill(unix.Getpid(), int(tid), wakeSignal) // ESRCH: it has just left
			}
		}
	}
	tick.Stop()
	t.parking.cancelAll()
	t.sup.mu.Lock()
	delete(t.sup.targets, t)
	t.sup.mu.Unlock()
	t.sup.teller.drain() // answers that wait for their explanation
	t.callers.close()
	t.proc.close()
	close(t.done)
}

// Wait returns the program's exit status: its own, or 128 plus the number of
// the signal that killed it. When it returns, no descendant is left.
func (t *Target) Wait() (int, error) {
	<-t.done
	if t.err != nil {
		return 125, t.err
	}
	if t.status.Signaled() {
		return 128 + int(t.status.Signal()), nil
	}
	return t.status.ExitStatus(), nil
}

// Done is closed when Wait would return at once.
func (t *Target) Done() <-chan struct{} { return t.done }

// Signal sends a signal to the program itself, not to its descendants.
func (t *Target) Signal(s unix.Signal) error { return t.proc.signal(s) }

// Kill ends the program and all its descendants.
func (t *Target) Kill() { t.proc.kill() }
