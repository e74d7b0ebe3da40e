// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"slices"
	"time"
)

// harvestEvery is how late an unobserved close(2) is noticed. Where it would
// matter sooner, because a port is still taken, the caller harvests itself.
const harvestEvery = 50 * time.Millisecond

// startHarvest sees to it that closed sockets are found while there are any.
// The supervisor is locked.
func (s *Supervisor) startHarvest() {
	if s.harvester == nil {
		s.harvester = time.AfterFunc(harvestEvery, s.harvestAgain)
	}
}

func (s *Supervisor) harvestAgain() {
	began := time.Now()
	s.mu.Lock()
	s.resetClosed()
	newest := s.lastID
	s.mu.Unlock()
	alive, err := s.ghosts.alive() // long with many sockets: the programs go on meanwhile
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	dead := s.dead(alive, newest, err)
	s.mu.Unlock()
	for some := range slices.Chunk(dead, buryAtOnce) {
		s.mu.Lock()
		s.bury(some)
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
	case len(s.byID) == 0:
		s.harvester = nil
	default:
		// With very many sockets the list grows long: spend a twentieth of the
		// time on it at most.
		s.harvester.Reset(max(harvestEvery, 20*time.Since(began)))
	}
}

// buryAtOnce is how many sockets the harvest ends while the programs' calls
// wait: some 50 µs.
const buryAtOnce = 32

// harvestLeft ends also those that only a call keeps open whose caller is gone.
// The supervisor is locked, but not all the time.
func (s *Supervisor) harvestLeft() {
	s.giveUp(nil)
	s.resetClosed()
	s.harvest()
}

// harvest ends the sockets whose T has been closed. The supervisor is locked.
func (s *Supervisor) harvest() {
	alive, err := s.ghosts.alive()
	s.bury(s.dead(alive, s.lastID, err))
}

// dead returns the sockets that are not alive. Those after newest are not known
// to be dead. The supervisor is locked.
func (s *Supervisor) dead(alive map[uint64]bool, newest uint64, err error) (ids []uint64) {
	if err != nil {
		s.warn("closed sockets are not noticed: %v", err)
		return nil
	}
	for id := range s.byID {
		if !alive[id] && id <= newest {
			ids = append(ids, id)
		}
	}
	return ids
}

// bury ends sockets, if they have not ended meanwhile. The supervisor is locked.
func (s *Supervisor) bury(ids []uint64) {
	for _, id := range ids {
		switch h := s.byID[id]; {
		case h == nil:
		case h.phase == pumped:
			h.pump.bury()
		case h.datagram != nil && h.datagram.waiting != nil: // T has sent more than there is room for: a later harvest
		default:
			h.forget()
		}
	}
}
