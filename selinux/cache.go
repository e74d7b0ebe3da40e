// SPDX-License-Identifier: Apache-2.0

package selinux

// The access vector cache holds 512 decisions, the kernel's default, in sets of four. A new decision takes the place
// of the set's oldest.
const (
	cacheSets = 128 // a power of two
	cacheWays = 4
)

// decision is what the server says about a pair of SIDs and a class, in the bits of the Class.
type decision struct {
	source, target SID
	class          Class // ClassNone in an unused place
	permissive     bool  // the source's type is permissive
	allowed        Perm
	auditAllow     Perm
	auditDeny      Perm
}

type cache struct {
	sets  *[cacheSets][cacheWays]decision // made when first needed
	next  [cacheSets]uint8                // the way to be replaced
	stats CacheStats
}

// CacheStats are counters of the access vector cache since the server was made.
type CacheStats struct {
	Lookups, Hits, Misses uint64
	Reclaims              uint64 // decisions dropped for another
	Flushes               uint64 // by a new policy, mode or boolean
}

// CacheStats gives the cache's counters.
func (s *Server) CacheStats() CacheStats { return s.cache.stats }

func set(source, target SID, class Class) uint32 {
	return (uint32(source) ^ uint32(target)<<2 ^ uint32(class)<<4) & (cacheSets - 1)
}

// find gives a cached decision, or nil.
func (c *cache) find(source, target SID, class Class) *decision {
	c.stats.Lookups++
	if c.sets != nil {
		ways := &c.sets[set(source, target, class)]
		for i := range ways {
			if d := &ways[i]; d.source == source && d.target == target && d.class == class {
				c.stats.Hits++
				return d
			}
		}
	}
	c.stats.Misses++
	return nil
}

// insert stores a decision and gives its place, which is good until the next insert.
func (c *cache) insert(d decision) *decision {
	if c.sets == nil {
		c.sets = new([cacheSets][cacheWays]decision)
	}
	i := set(d.source, d.target, d.class)
	place := &c.sets[i][c.next[i]]
	c.next[i] = (c.next[i] + 1) % cacheWays
	if place.class != ClassNone {
		c.stats.Reclaims++
	}
	*place = d
	return place
}

func (c *cache) flush() {
	c.sets = nil
	c.next = [cacheSets]uint8{}
	c.stats.Flushes++
}
