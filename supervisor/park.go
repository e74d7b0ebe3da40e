// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"context"
	"sync"
	"time"
)

// parking holds the calls of a target that wait. The kernel does not tell when
// a waiting call is interrupted or its caller killed: so the calls are asked
// in turn, and one that its own thread has left behind is found at once.
type parking struct {
	mu    sync.Mutex
	calls map[int]*parked  // by thread
	open  map[*parked]bool // all that hold something yet: calls, and what they superseded
	sweep *time.Timer      // set while there are open ones
	waits sync.WaitGroup
}

// sweepEvery is how late an interrupted wait is given up.
const sweepEvery = 100 * time.Millisecond

type parked struct {
	call   *call
	cancel context.CancelFunc
	done   chan struct{} // closed when it holds nothing any more
}

// park runs wait, which answers the call when it can, in a goroutine of its
// own. ctx is cancelled when nobody waits for the answer any more.
func (c *call) park(wait func(ctx context.Context)) {
	p := &c.target.parking
	ctx, cancel := context.WithCancel(context.Background())
	entry := &parked{call: c, cancel: cancel, done: make(chan struct{})}
	c.parked = true
	p.mu.Lock()
	if p.calls == nil {
		p.calls, p.open = map[int]*parked{}, map[*parked]bool{}
	}
	p.calls[c.tid], p.open[entry] = entry, true
	if p.sweep == nil {
		p.sweep = time.AfterFunc(sweepEvery, p.sweepAll)
	}
	p.mu.Unlock()
	p.waits.Go(func() {
		wait(ctx)
		cancel()
		close(entry.done)
		p.mu.Lock()
		delete(p.open, entry)
		if p.calls[c.tid] == entry {
			delete(p.calls, c.tid)
		}
		p.mu.Unlock()
	})
}

// superseded cancels what the thread waited for before its present call.
func (p *parking) superseded(tid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if entry := p.calls[tid]; entry != nil {
		entry.cancel()
		delete(p.calls, tid)
	}
}

// giveUp cancels the waits at h whose callers are gone, of all sockets if h is
// nil, and returns them. Of the waits at h it is enough that one goes on.
func (p *parking) giveUp(h *hosted) (gone []*parked) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for entry := range p.open {
		if h != nil && entry.call.at != h {
			continue
		}
		if !entry.call.valid() { // or answered, and about to end
			entry.cancel()
			gone = append(gone, entry)
		} else if h != nil {
			return nil
		}
	}
	return gone
}

// giveUp ends the waits that keep sockets open though their callers are gone: a
// call that waits holds a duplicate of T, as on Linux it holds the socket. The
// supervisor is locked, but not while they end.
func (s *Supervisor) giveUp(h *hosted) {
	var gone []*parked
	for t := range s.targets {
		gone = append(gone, t.parking.giveUp(h)...)
	}
	if gone == nil {
		return
	}
	s.mu.Unlock()
	defer s.mu.Lock()
	for _, p := range gone {
		<-p.done
	}
}

func (p *parking) sweepAll() {
	p.giveUp(nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) == 0 {
		p.sweep = nil
		return
	}
	p.sweep.Reset(sweepEvery)
}

// cancelAll cancels every wait and returns when all have ended.
func (p *parking) cancelAll() {
	p.mu.Lock()
	for entry := range p.open {
		entry.cancel()
	}
	p.mu.Unlock()
	p.waits.Wait()
}
