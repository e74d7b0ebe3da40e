// SPDX-License-Identifier: Apache-2.0

package policydb

import "fmt"

// maxBoundsDepth is the kernel's POLICYDB_BOUNDS_MAXDEPTH: how many bounds may stand above a type, role or user.
const maxBoundsDepth = 4

// checkSymbols looks at what one symbol table says of a later one.
func (r *reader) checkSymbols(db *DB) {
	r.section = "symbols"
	if fault := db.BoundsFault(); fault != "" {
		r.failAt(r.off, "%s", fault)
	}
	if !db.MLS {
		return // the ranges have no meaning
	}
	for i := range db.Users {
		if db.Users[i].Name != "" && !db.knownRange(&db.Users[i].Range) {
			r.failAt(r.off, "user %q has a range with unknown sensitivities or categories", db.Users[i].Name)
		}
	}
}

// BoundsFault tells what is wrong with the bounds of types, roles and users (policydb_bounds_sanity_check in the
// kernel), or gives "".
func (db *DB) BoundsFault() string {
	for _, t := range []struct {
		what  string
		n     int
		bound func(i int) uint32
		name  func(v uint32) string
		fits  func(i int, bound uint32) bool
	}{
		{
			"type", len(db.Types), func(i int) uint32 { return db.Types[i].Bounds }, db.TypeName,
			func(i int, b uint32) bool { return !db.Types[b-1].Attribute },
		},
		{
			"role", len(db.Roles), func(i int) uint32 { return db.Roles[i].Bounds }, db.RoleName,
			func(i int, b uint32) bool { return db.Roles[b-1].Types.Contains(db.Roles[i].Types) },
		},
		{
			"user", len(db.Users), func(i int) uint32 { return db.Users[i].Bounds }, db.UserName,
			func(i int, b uint32) bool { return db.Users[b-1].Roles.Contains(db.Users[i].Roles) },
		},
	} {
		for i := range t.n {
			depth := 0
			for b := t.bound(i); b != 0; b = t.bound(int(b - 1)) {
				name, bound := t.name(uint32(i+1)), t.name(b)
				if uint64(b) > uint64(t.n) {
					return fmt.Sprintf("%s %s is bounded by the unknown %s", t.what, name, bound)
				}
				if depth++; depth > maxBoundsDepth {
					return fmt.Sprintf("the bounds of %s %s are too deep or loop", t.what, name)
				}
				if depth == 1 && !t.fits(i, b) {
					return fmt.Sprintf("%s %s is wider than its bounds %s, or they are an attribute", t.what, name, bound)
				}
			}
		}
	}
	return ""
}

// knownRange tells if all sensitivities and categories are defined.
func (db *DB) knownRange(rg *Range) bool { return db.knownLevel(&rg.Low) && db.knownLevel(&rg.High) }

func (db *DB) knownLevel(l *Level) bool {
	top, any := l.Categories.Max()
	return l.Sensitivity >= 1 && int64(l.Sensitivity) <= int64(len(db.Sensitivities)) &&
		(!any || int64(top) < int64(len(db.Categories)))
}
