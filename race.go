// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"context"
	"net"
	"os"
	"slices"
	"time"

	"dialtone/errno"
	"dialtone/socket"
)

// attemptDelay is package net's default for [Dialer.FallbackDelay]. RFC 8305, section 5, recommends 250 ms.
const attemptDelay = 300 * time.Millisecond

// interleave puts addresses of both families in turn, beginning with the preferred one (RFC 8305, section 4).
func interleave(targets []target) []target {
	var same, other []target
	for _, t := range targets {
		if t.addr.Family == targets[0].addr.Family {
			same = append(same, t)
		} else {
			other = append(other, t)
		}
	}
	var mixed []target
	for i := range max(len(same), len(other)) {
		if i < len(same) {
			mixed = append(mixed, same[i])
		}
		if i < len(other) {
			mixed = append(mixed, other[i])
		}
	}
	return mixed
}

// race is happy eyeballs (RFC 8305, section 5): connects are started one after the other, each when the one before has
// failed or has had its delay, and the first to succeed wins. It needs no goroutines: the sockets don't block, and one
// poll waits for all of them. If all fail, the error is that of the first address.
func (d *Dialer) race(ctx context.Context, network string, targets []target, deadline time.Duration) (net.Conn, error) {
	core, delay := d.Host.core, d.FallbackDelay
	if delay == 0 {
		delay = attemptDelay
	}
	poll := &socket.Call{}
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, func() { poll.Cancel(core) })()
	}
	r := racers{dialer: d, ctx: ctx, errs: make([]error, len(targets))}
	defer r.abandon()
	started, next := 0, core.Now()
	for {
		now := core.Now()
		switch {
		case ctx.Err() != nil:
			return nil, d.failed(network, targets[0], ended(ctx.Err()))
		case now >= deadline:
			return nil, d.failed(network, targets[0], timeoutError{})
		case started < len(targets) && (len(r.running) == 0 || now >= next):
			next = now + delay
			r.start(network, targets[started], started)
			started++
		case len(r.running) == 0:
			return nil, r.errs[0]
		default:
			until := deadline
			if started < len(targets) {
				until = min(until, next)
			}
			r.wait(poll, core, until)
		}
		won, lost := r.look()
		switch {
		case won == nil:
		case d.LocalAddr == nil && won.call.ToItself:
			won.sock.Close(&won.call)
			return d.dialOne(ctx, network, won.to, deadline)
		default:
			return won.connected(), nil
		}
		if lost {
			next = core.Now()
		}
	}
}

// racers are the attempts that run beside each other.
type racers struct {
	dialer  *Dialer
	ctx     context.Context
	running []racer
	errs    []error // by place of the address
}

type racer struct {
	*attempt
	place int
}

// start begins the next attempt.
func (r *racers) start(network string, to target, place int) {
	a, err := r.dialer.open(r.ctx, network, to)
	if err != nil {
		r.errs[place] = err
		return
	}
	a.call.NonBlocking = true
	r.running = append(r.running, racer{a, place})
}

// wait waits until one of the attempts may have ended.
func (r *racers) wait(poll *socket.Call, core *socket.Core, until time.Duration) {
	timeout := time.Duration(-1)
	if until != never {
		timeout = max(until-core.Now(), 0)
	}
	files := make([]socket.PollFile, len(r.running))
	for i := range r.running {
		files[i] = socket.PollFile{Socket: r.running[i].sock, Events: socket.Out | socket.Always}
	}
	socket.Poll(poll, core, files, timeout) // canceled or timed out: the race looks at both itself
}

// look asks each attempt how it stands: SO_ERROR tells of a failure, on every system (connect(2), EINPROGRESS), and calling
// connect again of a success. It takes out the first that has succeeded, and those that failed.
func (r *racers) look() (won *attempt, lost bool) {
	for i := 0; i < len(r.running); {
		a := r.running[i]
		e := a.sock.Error()
		if e == errno.OK {
			e = a.connect()
		}
		if e == errno.EINPROGRESS || e == errno.EALREADY {
			i++
			continue
		}
		r.running = slices.Delete(r.running, i, i+1)
		if e == errno.OK || e == errno.EISCONN {
			return a.attempt, lost
		}
		a.sock.Close(&socket.Call{})
		r.errs[a.place] = r.dialer.failed(a.network, a.to, os.NewSyscallError("connect", e.Syscall()))
		lost = true
	}
	return nil, lost
}

// abandon ends the attempts that were not needed.
func (r *racers) abandon() {
	for _, a := range r.running {
		a.sock.Close(&socket.Call{})
	}
}
