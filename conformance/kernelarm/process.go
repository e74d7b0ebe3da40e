// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"dialtone/conformance"
)

// process is a child process on a host, as the arm sees it.
type process struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	send     *json.Encoder
	deadline time.Time

	mu      sync.Mutex
	last    int                // ID of the last request
	waiting map[int]chan reply // by request
	broken  error              // why there will be no more replies
}

// startProcess starts this program anew, in the namespaces of a host.
func startProcess(h *host, deadline time.Time) (*process, error) {
	p := &process{deadline: deadline, waiting: map[int]chan reply{}}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(self)
	// Signals of the Go scheduler would be EINTR for calls with SO_SNDTIMEO.
	p.cmd.Env = append(os.Environ(), agentVariable+"="+h.root, "GODEBUG=asyncpreemptoff=1")
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.do(p.cmd.Start); err != nil {
		return nil, fmt.Errorf("starting a process on host %s: %w", h.name, err)
	}
	p.send = json.NewEncoder(p.in)
	go p.receive(json.NewDecoder(out))
	return p, nil
}

// receive hands replies to those who wait for them, until the child ends.
func (p *process) receive(d *json.Decoder) {
	for {
		var r reply
		err := d.Decode(&r)
		p.mu.Lock()
		if err != nil {
			p.broken = fmt.Errorf("process ended: %w", err)
			for _, c := range p.waiting {
				close(c)
			}
			p.mu.Unlock()
			return
		}
		p.waiting[r.ID] <- r // never blocks: room for both replies
		p.mu.Unlock()
	}
}

// request sends a request and gives the channel of its replies.
func (p *process) request(r request) (int, chan reply, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return 0, nil, p.broken
	}
	p.last++
	r.ID = p.last
	c := make(chan reply, 2)
	p.waiting[r.ID] = c
	return r.ID, c, p.send.Encode(r)
}

// await takes one reply.
func (p *process) await(c chan reply) (reply, error) {
	timer := time.NewTimer(time.Until(p.deadline))
	defer timer.Stop()
	select {
	case r, ok := <-c:
		switch {
		case !ok:
			return r, errors.New("the process ended")
		case r.NotRun != "":
			return r, conformance.NotRun("%s", r.NotRun)
		case r.Err != "":
			return r, errors.New(r.Err)
		}
		return r, nil
	case <-timer.C:
		return reply{}, conformance.ErrBlocked
	}
}

// start begins a call, and waits until it has settled.
func (p *process) start(r request) (*thread, error) {
	id, c, err := p.request(r)
	if err != nil {
		return nil, err
	}
	if _, err := p.await(c); err != nil {
		return nil, err
	}
	return &thread{p: p, id: id, replies: c, call: r.Call}, nil
}

func (p *process) close() error {
	// A stopped process does not see the end of its input.
	err := errors.Join(p.in.Close(), p.cmd.Process.Kill())
	var exit *exec.ExitError
	if werr := p.cmd.Wait(); werr != nil && !errors.As(werr, &exit) {
		err = errors.Join(err, werr)
	}
	return err
}

// thread is a call under way in a child process.
type thread struct {
	p       *process
	id      int
	replies chan reply
	call    conformance.Call
}

func (t *thread) Wait() (conformance.Result, error) {
	r, err := t.p.await(t.replies)
	if err != nil {
		return conformance.Result{}, err
	}
	result := conformance.Result{Value: r.Value, FDs: r.FDs, Elapsed: r.Elapsed}
	if r.Errno != 0 {
		result.Errno = conformance.ErrnoName(r.Errno)
	} else if t.call.Name == "getsockopt" {
		result.Value = t.call.Args[1].Option.Decode(r.Option)
	}
	return result, nil
}

func (t *thread) ask(r request) (reply, error) {
	r.Target = t.id
	_, c, err := t.p.request(r)
	if err != nil {
		return reply{}, err
	}
	return t.p.await(c)
}

func (t *thread) Blocked() (bool, error) {
	r, err := t.ask(request{Op: opBlocked})
	return r.Blocked, err
}

func (t *thread) Interrupt(restart bool) error {
	_, err := t.ask(request{Op: opInterrupt, Restart: restart})
	return err
}
