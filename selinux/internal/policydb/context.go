// SPDX-License-Identifier: Apache-2.0

package policydb

// Context is a security context, by values. The zero value is no context.
type Context struct {
	User, Role, Type uint32
	Range            Range // of no meaning in a policy without MLS
}

// Range is an MLS range.
type Range struct{ Low, High Level }

// Level is an MLS level: a sensitivity with categories.
type Level struct {
	Sensitivity uint32
	Categories  Bitmap // bit value-1
}

// Dominates tells if l is at or above m: a sensitivity as high, and every category.
func (l *Level) Dominates(m *Level) bool {
	return l.Sensitivity >= m.Sensitivity && l.Categories.Contains(m.Categories)
}

// Equal tells if both are the same level.
func (l *Level) Equal(m *Level) bool {
	return l.Sensitivity == m.Sensitivity && l.Categories.Equal(m.Categories)
}

// Equal tells if both are the same range.
func (r *Range) Equal(s *Range) bool { return r.Low.Equal(&s.Low) && r.High.Equal(&s.High) }

// Valid tells if the range may stand in a policy: known levels, each with categories that its sensitivity may have,
// and the high one dominating the low one.
func (r *Range) Valid(db *DB) bool {
	return db.knownRange(r) &&
		db.Sensitivities[r.Low.Sensitivity-1].Categories.Contains(r.Low.Categories) &&
		db.Sensitivities[r.High.Sensitivity-1].Categories.Contains(r.High.Categories) &&
		r.High.Dominates(&r.Low)
}

// Equal tells if both are the same context.
func (c *Context) Equal(d *Context) bool {
	return c.User == d.User && c.Role == d.Role && c.Type == d.Type && c.Range.Equal(&d.Range)
}

// ContextFault is the rule that a context breaks.
type ContextFault string

// The rules, in the order in which they are looked at (policydb_context_isvalid in the kernel).
const (
	FaultNone       ContextFault = ""
	FaultType       ContextFault = "the role may not have this type"
	FaultRole       ContextFault = "the user may not have this role"
	FaultLevel      ContextFault = "the level is unknown, or has categories that do not go with its sensitivity"
	FaultDominance  ContextFault = "the high level does not dominate the low one"
	FaultClearance  ContextFault = "the range is outside the user's"
	FaultIncomplete ContextFault = "user, role or type is unknown"
)

// Fault gives the rule that c breaks, or FaultNone. Object_r goes with every user, type and clearance.
func (db *DB) Fault(c *Context) ContextFault {
	if !named(db.Users, c.User, func(u *User) string { return u.Name }) ||
		!named(db.Roles, c.Role, func(r *Role) string { return r.Name }) ||
		!named(db.Types, c.Type, func(t *Type) string { return t.Name }) || db.Types[c.Type-1].Attribute {
		return FaultIncomplete
	}
	if c.Role != ObjectR {
		if !db.Roles[c.Role-1].Types.Has(c.Type - 1) {
			return FaultType
		}
		if !db.Users[c.User-1].Roles.Has(c.Role - 1) {
			return FaultRole
		}
	}
	if !db.MLS {
		return FaultNone
	}
	if !c.Range.Valid(db) {
		if db.knownRange(&c.Range) && !c.Range.High.Dominates(&c.Range.Low) {
			return FaultDominance
		}
		return FaultLevel
	}
	clearance := &db.Users[c.User-1].Range
	if c.Role != ObjectR && !(c.Range.Low.Dominates(&clearance.Low) && clearance.High.Dominates(&c.Range.High)) {
		return FaultClearance
	}
	return FaultNone
}

func named[T any](table []T, v uint32, name func(*T) string) bool {
	return v >= 1 && uint64(v) <= uint64(len(table)) && name(&table[v-1]) != ""
}

// mlsRange takes a range. Where the file has one level it is both.
func (r *reader) mlsRange() Range {
	off := r.off
	n := r.u32("the number of levels")
	if n != 1 && n != 2 {
		r.failAt(off, "a range has %d levels, not 1 or 2", n)
	}
	var rg Range
	rg.Low.Sensitivity = r.u32("a sensitivity")
	rg.High.Sensitivity = rg.Low.Sensitivity
	if n == 2 {
		rg.High.Sensitivity = r.u32("a sensitivity")
	}
	rg.Low.Categories = r.bitmap(MaxSymbols, "categories")
	rg.High.Categories = rg.Low.Categories
	if n == 2 {
		rg.High.Categories = r.bitmap(MaxSymbols, "categories")
	}
	return rg
}

// context takes a context of an object, which must be a valid one.
func (r *reader) context(db *DB) Context {
	off := r.off
	c := Context{User: r.u32("a context's user"), Role: r.u32("a context's role"), Type: r.u32("a context's type")}
	c.Range = r.mlsRange()
	if r.err != nil {
		return Context{}
	}
	if fault := db.Fault(&c); fault != FaultNone {
		r.failAt(off, "a context is not valid: %s", fault)
	}
	return c
}
