// SPDX-License-Identifier: Apache-2.0

package policydb

import (
	"fmt"
	"strings"
)

// maxContext bounds the text of a context, in bytes, as context_to_sid always did.
const maxContext = 8192

// ParseContext reads user:role:type[:range]. The range is required with MLS and refused without. Aliases are
// known. An error names the field, or the rule of Fault, that is not met.
func (db *DB) ParseContext(text string) (Context, error) {
	if len(text) > maxContext {
		return Context{}, fmt.Errorf("context of %d bytes: longer than %d", len(text), maxContext)
	}
	fields := strings.SplitN(text, ":", 4)
	if len(fields) < 3 {
		return Context{}, fmt.Errorf("context %q: not of the form user:role:type", text)
	}
	var c Context
	for _, f := range []struct {
		what   string
		values map[string]uint32
		name   string
		to     *uint32
	}{
		{"user", db.UserValues, fields[0], &c.User},
		{"role", db.RoleValues, fields[1], &c.Role},
		{"type", db.TypeValues, fields[2], &c.Type},
	} {
		v, ok := f.values[f.name]
		if !ok {
			return Context{}, fmt.Errorf("context %q: the policy has no %s %q", text, f.what, f.name)
		}
		*f.to = v
	}
	switch {
	case len(fields) == 4 && !db.MLS:
		return Context{}, fmt.Errorf("context %q: the policy has no MLS, so a range may not follow", text)
	case len(fields) == 3 && db.MLS:
		return Context{}, fmt.Errorf("context %q: the policy has MLS, so a range must follow", text)
	case db.MLS:
		rg, err := db.parseRange(fields[3])
		if err != nil {
			return Context{}, fmt.Errorf("context %q: %w", text, err)
		}
		c.Range = rg
	}
	if fault := db.Fault(&c); fault != FaultNone {
		return Context{}, fmt.Errorf("context %q: %s", text, fault)
	}
	return c, nil
}

func (db *DB) parseRange(text string) (Range, error) {
	lowText, highText, two := strings.Cut(text, "-")
	low, err := db.parseLevel(lowText)
	if err != nil {
		return Range{}, err
	}
	if !two {
		return Range{low, low}, nil
	}
	high, err := db.parseLevel(highText)
	return Range{low, high}, err
}

// parseLevel reads sensitivity[:categories], where categories are names and a.b spans, parted by commas.
func (db *DB) parseLevel(text string) (Level, error) {
	name, categories, some := strings.Cut(text, ":")
	v, ok := db.SensitivityValues[name]
	if !ok {
		return Level{}, fmt.Errorf("the policy has no sensitivity %q", name)
	}
	l := Level{Sensitivity: v}
	if !some {
		return l, nil
	}
	for item := range strings.SplitSeq(categories, ",") {
		first, last, span := strings.Cut(item, ".")
		from, ok := db.CategoryValues[first]
		if !ok {
			return Level{}, fmt.Errorf("the policy has no category %q", first)
		}
		to := from
		if span {
			if to, ok = db.CategoryValues[last]; !ok {
				return Level{}, fmt.Errorf("the policy has no category %q", last)
			}
			if to <= from {
				return Level{}, fmt.Errorf("the categories %q do not rise", item)
			}
		}
		for c := from; c <= to; c++ {
			l.Categories.Set(c - 1)
		}
	}
	return l, nil
}

// FormatContext writes c as the kernel does: by primary names, and with the shortest range.
func (db *DB) FormatContext(c *Context) string {
	b := make([]byte, 0, 64)
	b = append(b, db.UserName(c.User)...)
	b = append(b, ':')
	b = append(b, db.RoleName(c.Role)...)
	b = append(b, ':')
	b = append(b, db.TypeName(c.Type)...)
	if db.MLS {
		b = append(b, ':')
		b = append(b, db.FormatRange(&c.Range)...)
	}
	return string(b)
}

// FormatRange writes a range; one level stands for two equal ones.
func (db *DB) FormatRange(r *Range) string {
	if r.Low.Equal(&r.High) {
		return db.FormatLevel(&r.Low)
	}
	return db.FormatLevel(&r.Low) + "-" + db.FormatLevel(&r.High)
}

// FormatLevel writes runs of two categories as a,b and longer ones as a.b.
func (db *DB) FormatLevel(l *Level) string {
	b := []byte(db.SensitivityName(l.Sensitivity))
	sep := byte(':')
	item := func(joint byte, c uint32) {
		b = append(b, joint)
		b = append(b, db.CategoryName(c+1)...)
	}
	first, last := int64(-1), int64(-1) // of the run under way
	flush := func() {
		if first < 0 {
			return
		}
		item(sep, uint32(first))
		sep = ','
		if last == first+1 {
			item(',', uint32(last))
		} else if last > first {
			item('.', uint32(last))
		}
	}
	for bit := range l.Categories.All() {
		if first >= 0 && int64(bit) == last+1 {
			last++
			continue
		}
		flush()
		first, last = int64(bit), int64(bit)
	}
	flush()
	return string(b)
}

// The names of values. A value without a name, which a sound policy does not use, is given as its number.

// ClassName names a class.
func (db *DB) ClassName(v uint32) string {
	return nameOf(db.Classes, v, func(c *Class) string { return c.Name })
}

// UserName names a user.
func (db *DB) UserName(v uint32) string {
	return nameOf(db.Users, v, func(u *User) string { return u.Name })
}

// RoleName names a role.
func (db *DB) RoleName(v uint32) string {
	return nameOf(db.Roles, v, func(r *Role) string { return r.Name })
}

// TypeName names a type or an attribute.
func (db *DB) TypeName(v uint32) string {
	return nameOf(db.Types, v, func(t *Type) string { return t.Name })
}

// BooleanName names a boolean.
func (db *DB) BooleanName(v uint32) string {
	return nameOf(db.Booleans, v, func(b *Boolean) string { return b.Name })
}

// SensitivityName names a sensitivity.
func (db *DB) SensitivityName(v uint32) string {
	return nameOf(db.Sensitivities, v, func(s *Sensitivity) string { return s.Name })
}

// CategoryName names a category.
func (db *DB) CategoryName(v uint32) string {
	return nameOf(db.Categories, v, func(c *string) string { return *c })
}

func nameOf[T any](table []T, v uint32, name func(*T) string) string {
	if named(table, v, name) {
		return name(&table[v-1])
	}
	return fmt.Sprintf("#%d", v)
}
