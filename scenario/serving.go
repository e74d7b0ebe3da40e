// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"errors"
	"fmt"

	"dialtone"
)

// serving is what serves on a host: it ends when the host crashes, and begins again when that restarts.
type serving struct {
	begin []func(*servers) error // in the order of the first time
	now   *servers               // nil: the host is down
}

// provide begins to serve on h; while that is down, this waits for its restart.
func (r *Running) provide(h *dialtone.Host, begin func(*servers) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.on(h)
	s.begin = append(s.begin, begin)
	if s.now == nil {
		return nil
	}
	return begin(s.now)
}

// on returns what serves on h. The lock must be held.
func (r *Running) on(h *dialtone.Host) *serving {
	s := r.serving[h]
	if s == nil {
		s = &serving{now: new(servers)}
		r.serving[h] = s
	}
	return s
}

// crash takes a host down, and its servers with it. The lock must be held.
func (r *Running) crash(h *dialtone.Host) {
	s := r.on(h)
	r.err = errors.Join(r.err, s.now.failure())
	h.Crash()
	_ = s.now.Close() // how they end now is the crash's doing
	s.now = nil
}

// restart brings a host back as a machine boots: lo, then the servers, and the network when they all listen, so that nobody
// is refused. The lock must be held.
func (r *Running) restart(h *dialtone.Host) {
	defer h.Restart()
	h.Stack().Interfaces()[0].SetUp(true)
	s := r.on(h)
	s.now = new(servers)
	for _, begin := range s.begin {
		if err := begin(s.now); err != nil {
			r.err = errors.Join(r.err, fmt.Errorf("host %s, restarted: %w", h.Name(), err))
		}
	}
}

// Close ends the servers, and what would have happened later does not. It returns an error if a server had ended before
// by itself, or did not begin again after a crash.
func (r *Running) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.future = nil
	if r.timer != nil {
		r.timer.Stop()
	}
	err := errors.Join(r.err, r.unwire())
	for _, h := range r.Network.Hosts() {
		if s := r.on(h); s.now != nil {
			err = errors.Join(err, s.now.Close())
		}
	}
	return err
}
