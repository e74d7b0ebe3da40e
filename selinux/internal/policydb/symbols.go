// SPDX-License-Identifier: Apache-2.0

package policydb

// Properties of a type in the file.
const (
	typePrimary   = 1 // the entry is the type's own name, not an alias
	typeAttribute = 2
)

// maxPermissions is the width of an access vector.
const maxPermissions = 32

// table takes a symbol table's number of values and number of entries, each of at least size bytes. Compilers leave
// few values without an entry, so more than a file of that size could use are refused: each costs memory.
func (r *reader) table(section string, size int) (nprim, nel int) {
	r.section = section
	off := r.off
	n := r.u32("the number of values")
	nel = r.count(size, "entries")
	if n > MaxSymbols {
		r.failAt(off, "%d values are more than %d", n, MaxSymbols)
	}
	if r.err == nil && uint64(n) > 1024+4*uint64(nel) {
		r.failAt(off, "%d values are too many for %d entries", n, nel)
	}
	if r.err != nil {
		return 0, 0
	}
	return int(n), nel
}

// define enters name with value v into values.
func (r *reader) define(values map[string]uint32, name string, v uint32, off int) {
	if _, ok := values[name]; ok {
		r.failAt(off, "%q is defined twice", name)
	}
	if r.err == nil {
		values[name] = v
	}
}

// primary names the value v, which must have no name yet.
func (r *reader) primary(slot *string, name string, off int) {
	if *slot != "" {
		r.failAt(off, "%q and %q have the same value", *slot, name)
	}
	*slot = name
}

type common struct {
	name        string
	permissions []string
}

func (r *reader) symbols(db *DB) {
	commons := r.commons()
	r.classes(db, commons)
	r.roles(db)
	r.types(db)
	r.users(db)
	r.booleans(db)
	r.sensitivities(db)
	r.categories(db)
	if r.err == nil {
		r.checkSymbols(db)
	}
}

func (r *reader) commons() map[string]common {
	_, nel := r.table("common permissions", 16)
	commons := make(map[string]common, nel)
	for range nel {
		off := r.off
		nameLen := r.u32("a name's length")
		r.u32("a value")
		nprim := r.permissionCount()
		nperm := r.count(8, "permissions")
		c := common{name: r.str(nameLen, "a name"), permissions: make([]string, nprim)}
		r.permissions(c.permissions, nperm)
		if _, ok := commons[c.name]; ok {
			r.failAt(off, "%q is defined twice", c.name)
		}
		if r.err != nil {
			return nil
		}
		commons[c.name] = c
	}
	return commons
}

func (r *reader) permissionCount() int {
	off := r.off
	n := r.u32("a number of permissions")
	if n > maxPermissions {
		r.failAt(off, "%d permissions are more than %d", n, maxPermissions)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// permissions takes n named permissions into the slots of their values.
func (r *reader) permissions(names []string, n int) {
	for range n {
		off := r.off
		nameLen := r.u32("a name's length")
		v := r.value(len(names), "a permission")
		name := r.str(nameLen, "a permission's name")
		if r.err != nil {
			return
		}
		r.primary(&names[v-1], name, off)
	}
}

func (r *reader) classes(db *DB, commons map[string]common) {
	nprim, nel := r.table("classes", 24)
	db.Classes = make([]Class, nprim)
	db.ClassValues = make(map[string]uint32, nel)
	for range nel {
		off := r.off
		nameLen, commonLen := r.u32("a name's length"), r.u32("a name's length")
		v := r.value(nprim, "a class")
		nperms := r.permissionCount()
		nel := r.count(8, "permissions")
		nconstraints := r.count(8, "constraints")
		c := Class{Name: r.str(nameLen, "a class's name"), Permissions: make([]string, nperms)}
		if commonLen != 0 {
			at := r.off
			inherited, ok := commons[r.str(commonLen, "the name of common permissions")]
			if !ok || len(inherited.permissions) > nperms {
				r.failAt(at, "class %q has no such common permissions", c.Name)
			} else {
				copy(c.Permissions, inherited.permissions)
			}
		}
		r.permissions(c.Permissions, nel)
		c.Constraints = r.constraints(nconstraints, false)
		r.constraints(r.count(8, "validatetrans rules"), true) // about relabelled files alone
		c.DefaultUser = Default(r.enum(uint32(DefaultTarget), "default_user"))
		c.DefaultRole = Default(r.enum(uint32(DefaultTarget), "default_role"))
		c.DefaultRange = DefaultRange(r.enum(uint32(RangeGLBLUB), "default_range"))
		c.DefaultType = Default(r.enum(uint32(DefaultTarget), "default_type"))
		r.define(db.ClassValues, c.Name, v, off)
		if r.err != nil {
			return
		}
		r.primary(&db.Classes[v-1].Name, c.Name, off)
		db.Classes[v-1] = c
	}
}

// enum takes a number that is at most top.
func (r *reader) enum(top uint32, what string) uint32 {
	off := r.off
	v := r.u32(what)
	if v > top {
		r.failAt(off, "%s is %d, which is not known", what, v)
	}
	return v
}

func (r *reader) roles(db *DB) {
	nprim, nel := r.table("roles", 36)
	db.Roles = make([]Role, nprim)
	db.RoleValues = make(map[string]uint32, nel)
	for range nel {
		off := r.off
		nameLen := r.u32("a name's length")
		v := r.value(nprim, "a role")
		role := Role{Bounds: r.u32("a role's bounds")}
		role.Name = r.str(nameLen, "a role's name")
		role.Dominates = r.bitmap(MaxSymbols, "the roles it dominates")
		role.Types = r.bitmap(MaxSymbols, "the types of a role")
		r.define(db.RoleValues, role.Name, v, off)
		if role.Name == "object_r" && v != ObjectR {
			r.failAt(off, "object_r has the value %d, not %d", v, ObjectR)
		}
		if r.err != nil {
			return
		}
		r.primary(&db.Roles[v-1].Name, role.Name, off)
		db.Roles[v-1] = role
	}
}

func (r *reader) types(db *DB) {
	nprim, nel := r.table("types", 16)
	db.Types = make([]Type, nprim)
	db.TypeValues = make(map[string]uint32, nel)
	for range nel {
		off := r.off
		nameLen := r.u32("a name's length")
		v := r.value(nprim, "a type")
		properties := r.u32("a type's properties")
		t := Type{Attribute: properties&typeAttribute != 0, Bounds: r.u32("a type's bounds")}
		t.Name = r.str(nameLen, "a type's name")
		if r.err != nil {
			return
		}
		if !t.Attribute {
			r.define(db.TypeValues, t.Name, v, off)
		}
		if properties&(typePrimary|typeAttribute) != 0 {
			r.primary(&db.Types[v-1].Name, t.Name, off)
			db.Types[v-1] = t
		}
	}
}

func (r *reader) users(db *DB) {
	nprim, nel := r.table("users", 12)
	db.Users = make([]User, nprim)
	db.UserValues = make(map[string]uint32, nel)
	for range nel {
		off := r.off
		nameLen := r.u32("a name's length")
		v := r.value(nprim, "a user")
		u := User{Bounds: r.u32("a user's bounds")}
		u.Name = r.str(nameLen, "a user's name")
		u.Roles = r.bitmap(len(db.Roles), "the roles of a user")
		u.Range = r.mlsRange()
		r.u32("a default level's sensitivity")
		r.bitmap(MaxSymbols, "a default level's categories")
		r.define(db.UserValues, u.Name, v, off)
		if r.err != nil {
			return
		}
		r.primary(&db.Users[v-1].Name, u.Name, off)
		db.Users[v-1] = u
	}
}

func (r *reader) booleans(db *DB) {
	nprim, nel := r.table("booleans", 12)
	db.Booleans = make([]Boolean, nprim)
	db.BooleanValues = make(map[string]uint32, nel)
	for range nel {
		off := r.off
		v := r.value(nprim, "a boolean")
		b := Boolean{State: r.enum(1, "a boolean's state") == 1}
		b.Name = r.lenStr("a boolean's name")
		r.define(db.BooleanValues, b.Name, v, off)
		if r.err != nil {
			return
		}
		r.primary(&db.Booleans[v-1].Name, b.Name, off)
		db.Booleans[v-1] = b
	}
}

func (r *reader) sensitivities(db *DB) {
	nprim, nel := r.table("sensitivities", 24)
	db.Sensitivities = make([]Sensitivity, nprim)
	db.SensitivityValues = make(map[string]uint32, nel)
	for range nel {
		off := r.off
		nameLen := r.u32("a name's length")
		alias := r.enum(1, "the alias mark") == 1
		s := Sensitivity{Name: r.str(nameLen, "a sensitivity's name")}
		v := r.value(nprim, "a sensitivity")
		s.Categories = r.bitmap(MaxSymbols, "the categories of a sensitivity")
		r.define(db.SensitivityValues, s.Name, v, off)
		if r.err != nil {
			return
		}
		if !alias {
			r.primary(&db.Sensitivities[v-1].Name, s.Name, off)
			db.Sensitivities[v-1] = s
		}
	}
}

func (r *reader) categories(db *DB) {
	nprim, nel := r.table("categories", 12)
	db.Categories = make([]string, nprim)
	db.CategoryValues = make(map[string]uint32, nel)
	for range nel {
		off := r.off
		nameLen := r.u32("a name's length")
		v := r.value(nprim, "a category")
		alias := r.enum(1, "the alias mark") == 1
		name := r.str(nameLen, "a category's name")
		r.define(db.CategoryValues, name, v, off)
		if r.err != nil {
			return
		}
		if !alias {
			r.primary(&db.Categories[v-1], name, off)
		}
	}
}
