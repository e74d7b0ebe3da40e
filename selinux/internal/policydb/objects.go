// SPDX-License-Identifier: Apache-2.0

package policydb

// The tables of object contexts, in the file's order. Version 30 has the first seven.
const (
	tableInitialSID = iota
	tableFilesystem
	tablePort
	tableNetif
	tableNode
	tableFSUse
	tableNode6
	tableIBPKey
	tableIBEndPort

	tablesV30 = 7
	tablesV31 = 9
)

var tableNames = [...]string{
	"initial SIDs", "file systems", "ports", "network interfaces", "IPv4 nodes", "fs_use", "IPv6 nodes",
	"infiniband keys", "infiniband ports",
}

// minContext is the least size of a context in the file: user, role, type, range.
const minContext = 12 + 4 + 4 + 12

// roleRules takes role transitions and role allow rules.
func (r *reader) roleRules(db *DB) {
	r.section = "role transitions"
	for range r.count(16, "role transitions") {
		db.RoleTransitions = append(db.RoleTransitions, RoleTransition{
			Role: r.value(len(db.Roles), "a role"), Type: r.value(len(db.Types), "a type"),
			New: r.value(len(db.Roles), "a new role"), Class: r.value(len(db.Classes), "a class"),
		})
	}
	r.section = "role allow rules"
	for range r.count(8, "role allow rules") {
		db.RoleAllows = append(db.RoleAllows, RoleAllow{
			Role: r.value(len(db.Roles), "a role"), New: r.value(len(db.Roles), "a new role"),
		})
	}
}

// filenameTransitions reads past the rules on new files' names: this engine labels no files.
func (r *reader) filenameTransitions() {
	r.section = "filename transitions"
	for range r.count(16, "filename transitions") {
		r.lenStr("a file's name")
		r.take(8, "a filename transition")
		if r.version < 33 {
			r.take(8, "a filename transition") // source, target, class, new type
			continue
		}
		for range r.count(16, "filename transitions") { // target, class, and for sets of sources the new type
			r.bitmap(MaxSymbols, "source types")
			r.u32("a new type")
		}
	}
}

func (r *reader) objectContexts(db *DB, tables int) {
	db.InitialSIDs = map[uint32]Context{}
	for table := range tables {
		r.section = tableNames[table]
		for range r.count(4+minContext, "entries") {
			r.objectContext(db, table)
			if r.err != nil {
				return
			}
		}
	}
}

func (r *reader) objectContext(db *DB, table int) {
	off := r.off
	switch table {
	case tableInitialSID:
		sid := r.u32("a SID")
		if _, ok := db.InitialSIDs[sid]; ok || sid == 0 {
			r.failAt(off, "SID %d is defined twice or is 0", sid)
		}
		db.InitialSIDs[sid] = r.context(db)
	case tableFilesystem:
		r.lenStr("a file system's name")
		r.context(db)
		r.context(db)
	case tablePort:
		p := Port{Protocol: r.u32("a protocol")}
		low, high := r.enum(0xFFFF, "a port"), r.enum(0xFFFF, "a port")
		if low > high {
			r.failAt(off, "the ports %d to %d are no range", low, high)
		}
		p.Low, p.High = uint16(low), uint16(high)
		p.Context = r.context(db)
		db.Ports = append(db.Ports, p)
	case tableNetif:
		db.Netifs = append(db.Netifs, Netif{r.lenStr("an interface's name"), r.context(db), r.context(db)})
	case tableNode:
		db.Nodes = append(db.Nodes, Node{r.take(4, "an address"), r.take(4, "a mask"), r.context(db)})
	case tableNode6:
		db.Nodes = append(db.Nodes, Node{r.take(16, "an address"), r.take(16, "a mask"), r.context(db)})
	case tableFSUse:
		r.u32("a behaviour")
		r.lenStr("a file system's name")
		r.context(db)
	case tableIBPKey:
		r.u64("a subnet prefix")
		r.take(8, "keys")
		r.context(db)
	case tableIBEndPort:
		n := r.u32("a name's length")
		r.u32("a port")
		r.str(n, "a device's name")
		r.context(db)
	}
}

// genfs reads past the contexts of files on file systems without labels.
func (r *reader) genfs(db *DB) {
	r.section = "genfs"
	for range r.count(8, "file systems") {
		r.lenStr("a file system's name")
		for range r.count(8+minContext, "paths") {
			r.lenStr("a path")
			r.u32("a class")
			r.context(db)
		}
	}
}

func (r *reader) rangeTransitions(db *DB) {
	r.section = "range transitions"
	n := r.count(12+4+4+12, "range transitions")
	db.RangeTransitions = make(map[RangeKey]Range, n)
	for range n {
		off := r.off
		key := RangeKey{
			Source: r.value(len(db.Types), "a source type"), Target: r.value(len(db.Types), "a target type"),
			Class: r.value(len(db.Classes), "a class"),
		}
		at := r.off
		rg := r.mlsRange()
		if _, ok := db.RangeTransitions[key]; ok {
			r.failAt(off, "two range transitions have the same source, target and class")
		}
		if r.err == nil && (!db.knownRange(&rg) || !rg.Valid(db)) {
			r.failAt(at, "a range transition has an invalid range")
		}
		db.RangeTransitions[key] = rg
		if r.err != nil {
			return
		}
	}
}

// typeAttributes takes for each type its attributes. The type itself may be missing there.
func (r *reader) typeAttributes(db *DB) {
	r.section = "attributes of types"
	db.TypeAttributes = make([][]uint16, len(db.Types))
	for i := range db.Types {
		set := r.bitmap(len(db.Types), "the attributes of a type")
		if r.err != nil {
			return
		}
		if !set.Has(uint32(i)) {
			set.Set(uint32(i))
		}
		list := make([]uint16, 0, set.Len())
		for bit := range set.All() {
			list = append(list, uint16(bit+1))
		}
		db.TypeAttributes[i] = list
	}
}
