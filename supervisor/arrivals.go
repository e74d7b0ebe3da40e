// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "sync"

// arrivals are the listeners in whose layer queue a connection has come to
// wait. The loop presents it; but one that a hosted program's own connect has
// brought is seen to by that call, for to wake the loop's thread would cost
// more than all the rest of the call.
type arrivals struct {
	mu   sync.Mutex
	held bool // a connect is under way, which will look itself
	news []*hosted
}

// came is called with the listener's host locked.
func (a *arrivals) came(l *hosted) {
	a.mu.Lock()
	first := len(a.news) == 0
	a.news = append(a.news, l)
	held := a.held
	a.mu.Unlock()
	if first && !held {
		l.sup.loop.post(l.sup.presentAll)
	}
}

// hold has the news wait for release. The supervisor is locked until then.
func (a *arrivals) hold() {
	a.mu.Lock()
	a.held = true
	a.mu.Unlock()
}

// release presents what came meanwhile, and by the way what came before.
func (a *arrivals) release() {
	for _, l := range a.take() {
		if l.listen != nil {
			l.present()
		}
	}
}

func (a *arrivals) take() []*hosted {
	a.mu.Lock()
	defer a.mu.Unlock()
	news := a.news
	a.held, a.news = false, nil
	return news
}

// presentAll gives each T that listens a native connection for each one in the
// layer's queue.
func (s *Supervisor) presentAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrivals.release()
}
