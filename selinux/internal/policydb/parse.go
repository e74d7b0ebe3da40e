// SPDX-License-Identifier: Apache-2.0

package policydb

import "encoding/binary"

// First words of the files that SELinux tools write.
const (
	magicPolicy  = 0xF97CFF8C
	magicModule  = 0xF97CFF8D
	magicPackage = 0xF97CFF8F
)

// Versions of the binary policy that Parse reads.
const (
	MinVersion = 30
	MaxVersion = 33
)

const symbolTables = 8

// Parse reads a binary kernel policy. It keeps no reference to data. An error is an *Error.
func Parse(data []byte) (*DB, error) {
	r := &reader{data: data}
	db := &DB{}
	tables := r.header(db)
	r.symbols(db)
	r.rules(db)
	r.roleRules(db)
	r.filenameTransitions()
	r.objectContexts(db, tables)
	r.genfs(db)
	r.rangeTransitions(db)
	r.typeAttributes(db)
	if r.err == nil && r.off != len(data) {
		r.failAt(r.off, "%d bytes follow the end of the policy", len(data)-r.off)
	}
	if r.err != nil {
		return nil, r.err
	}
	return db, nil
}

// androidConfig are the bits of the configuration that Android's kernels know: with them two kinds of netlink request
// need a permission of their own (POLICYDB_CONFIG_ANDROID_NETLINK_ROUTE and _GETNEIGH), which nothing here asks for.
const androidConfig = 1<<31 | 1<<30

// header takes what stands before the symbol tables, and gives the number of tables of object contexts.
func (r *reader) header(db *DB) int {
	r.section = "header"
	r.magic()
	off := r.off
	db.Version = r.u32("the version")
	if db.Version < MinVersion || db.Version > MaxVersion {
		r.failAt(off, "version %d is not supported, only %d to %d are", db.Version, MinVersion, MaxVersion)
	}
	r.version = db.Version
	off = r.off
	config := r.u32("the configuration")
	db.MLS = config&1 != 0
	switch config &^ (1 | androidConfig) {
	case 0:
		db.Unknown = UnknownDeny
	case 2:
		db.Unknown = UnknownReject
	case 4:
		db.Unknown = UnknownAllow
	default:
		r.failAt(off, "the configuration %#x is not known", config)
	}
	off = r.off
	symbols, tables := r.u32("the number of symbol tables"), r.u32("the number of object context tables")
	want := uint32(tablesV31)
	if db.Version == 30 {
		want = tablesV30
	}
	if symbols != symbolTables || tables != want {
		r.failAt(off, "%d symbol and %d object context tables, not %d and %d", symbols, tables, symbolTables, want)
	}
	db.Capabilities = r.bitmap(1<<16, "the policy capabilities")
	r.section = "permissive types"
	db.Permissive = r.bitmap(MaxSymbols+1, "the permissive types")
	return int(want)
}

func (r *reader) magic() {
	if len(r.data) >= 4 {
		switch binary.LittleEndian.Uint32(r.data) {
		case magicPolicy:
		case magicModule:
			r.failAt(0, "this is a policy module (.mod), not a kernel policy: link and compile it with semodule")
		case magicPackage:
			r.failAt(0, "this is a policy package (.pp), not a kernel policy: compile it with semodule")
		default:
			r.failAt(0, "this is no SELinux policy")
		}
	}
	r.u32("the magic number")
	off := r.off
	switch name := r.lenStr("the policy's kind"); {
	case r.err != nil:
	case name == "XenFlask":
		r.failAt(off, "this is a policy for Xen, not for a Linux kernel")
	case name != "SE Linux":
		r.failAt(off, "the policy's kind is %q, not \"SE Linux\"", name)
	}
}
