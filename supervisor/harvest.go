// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "time"

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
	newest := s.lastID
	s.mu.Unlock()
	alive, err := s.ghosts.alive() // long with many sockets: the programs go on meanwhile
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.bury(alive, newest, err)
	if len(s.byID) == 0 {
		s.harvester = nil
		return
	}
	// With very many sockets the list grows long: spend a twentieth of the
	// time on it at most.
	s.harvester.Reset(max(harvestEvery, 20*time.Since(began)))
}

// harvest ends the sockets whose T has been closed. The supervisor is locked.
func (s *Supervisor) harvest() {
	alive, err := s.ghosts.alive()
	s.bury(alive, s.lastID, err)
}

// bury ends the sockets that are not alive; those after newest are not known
// to be dead. The supervisor is locked.
func (s *Supervisor) bury(alive map[uint64]bool, newest uint64, err error) {
	if err != nil {
		s.warn("closed sockets are not noticed: %v", err)
		return
	}
	for id, h := range s.byID {
		switch {
		case alive[id], id > newest:
		case h.phase == pumped:
			h.pump.run() // it ends the socket once all that T has written is passed on
		default:
			h.forget()
		}
	}
}
