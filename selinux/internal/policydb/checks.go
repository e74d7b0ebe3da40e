// SPDX-License-Identifier: Apache-2.0

package policydb

// maxBoundsDepth is the kernel's POLICYDB_BOUNDS_MAXDEPTH: how many bounds may stand above a type, role or user.
const maxBoundsDepth = 4

// checkSymbols looks at what one symbol table says of a later one.
func (r *reader) checkSymbols(db *DB) {
	r.section = "types"
	r.bounds("type", len(db.Types), func(v uint32) uint32 { return db.Types[v-1].Bounds })
	for i := range db.Types {
		if b := db.Types[i].Bounds; r.err == nil && b != 0 && db.Types[b-1].Attribute {
			r.failAt(r.off, "type %q is bounded by the attribute %q", db.Types[i].Name, db.Types[b-1].Name)
		}
	}
	r.section = "roles"
	r.bounds("role", len(db.Roles), func(v uint32) uint32 { return db.Roles[v-1].Bounds })
	for i := range db.Roles {
		if b := db.Roles[i].Bounds; r.err == nil && b != 0 && !db.Roles[b-1].Types.Contains(db.Roles[i].Types) {
			r.failAt(r.off, "role %q has types that its bounds %q lacks", db.Roles[i].Name, db.Roles[b-1].Name)
		}
	}
	r.section = "users"
	r.bounds("user", len(db.Users), func(v uint32) uint32 { return db.Users[v-1].Bounds })
	for i := range db.Users {
		if b := db.Users[i].Bounds; r.err == nil && b != 0 && !db.Users[b-1].Roles.Contains(db.Users[i].Roles) {
			r.failAt(r.off, "user %q has roles that its bounds %q lacks", db.Users[i].Name, db.Users[b-1].Name)
		}
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

// bounds refuses chains of bounds that are too long, loop, or lead out of the table.
func (r *reader) bounds(what string, n int, of func(uint32) uint32) {
	for v := uint32(1); int(v) <= n; v++ {
		depth := 0
		for b := of(v); b != 0; b = of(b) {
			if uint64(b) > uint64(n) {
				r.failAt(r.off, "a %s is bounded by the unknown value %d", what, b)
			}
			if depth++; depth > maxBoundsDepth {
				r.failAt(r.off, "the bounds of a %s are too deep or loop", what)
			}
			if r.err != nil {
				return
			}
		}
	}
}

// knownRange tells if all sensitivities and categories are defined.
func (db *DB) knownRange(rg *Range) bool { return db.knownLevel(&rg.Low) && db.knownLevel(&rg.High) }

func (db *DB) knownLevel(l *Level) bool {
	top, any := l.Categories.Max()
	return l.Sensitivity >= 1 && int64(l.Sensitivity) <= int64(len(db.Sensitivities)) &&
		(!any || int64(top) < int64(len(db.Categories)))
}
