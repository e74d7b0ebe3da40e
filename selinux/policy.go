// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"strings"

	"dialtone/selinux/internal/cil"
	"dialtone/selinux/internal/policydb"
)

// Context is a security context in the numbers of the Policy that made it. Its zero value is no context.
type Context = policydb.Context

// ParseError tells in which section of a binary policy, and at which offset in bytes, it is wrong.
type ParseError = policydb.Error

// CompileError tells in which line a policy in CIL is wrong.
type CompileError = cil.Error

// ClassValue is the number of an object class in one policy; 0 is none. The numbers of the classes that
// sockets ask about, which hold for every policy, are those of Class.
type ClassValue uint16

// Policy is a loaded policy. It never changes, so that many servers, on any goroutines, may share it.
type Policy struct {
	db *policydb.DB

	// The access rules db.Access are sorted by source and class. rows[rowsOf[s-1]:rowsOf[s]] are those with
	// source s, each giving a class and where its rules begin; they end where those of the next row begin.
	rows   []accessRow
	rowsOf []uint32

	process         ClassValue // class process, 0 if there is none
	transitionPerms uint32     // its permissions transition and dyntransition
	socketClass     []bool     // by class value: the name ends in "socket"

	classes [numClasses]classMap
}

type accessRow struct {
	class ClassValue
	start uint32
}

// Parse reads a binary kernel policy of version 30 to 33, as secilc, checkpolicy and semodule write it. It keeps
// no reference to data. An error is a *ParseError.
func Parse(data []byte) (*Policy, error) {
	db, err := policydb.Parse(data)
	if err != nil {
		return nil, err
	}
	return newPolicy(db), nil
}

// Load reads a policy from the contents of a file: CIL if the file's name ends in .cil, else a binary policy.
func Load(file string, data []byte) (*Policy, error) {
	if strings.HasSuffix(file, ".cil") {
		return CompileCIL(file, data)
	}
	return Parse(data)
}

func newPolicy(db *policydb.DB) *Policy {
	p := &Policy{db: db}
	p.rowsOf = make([]uint32, len(db.Types)+1)
	source := 0
	for i, r := range db.Access {
		for source < int(r.Source) { // rowsOf[s] is where the rows of source s end, hence where those of s+1 begin
			p.rowsOf[source] = uint32(len(p.rows))
			source++
		}
		if i == 0 || r.Source != db.Access[i-1].Source || r.Class != db.Access[i-1].Class {
			p.rows = append(p.rows, accessRow{ClassValue(r.Class), uint32(i)})
		}
	}
	for ; source <= len(db.Types); source++ {
		p.rowsOf[source] = uint32(len(p.rows))
	}
	p.rows = append(p.rows, accessRow{0, uint32(len(db.Access))}) // ends the last row
	p.socketClass = make([]bool, len(db.Classes)+1)
	for i := range db.Classes {
		p.socketClass[i+1] = strings.HasSuffix(db.Classes[i].Name, "socket")
	}
	if v := db.ClassValues["process"]; v != 0 {
		p.process = ClassValue(v)
		for i, name := range db.Classes[v-1].Permissions {
			if name == "transition" || name == "dyntransition" {
				p.transitionPerms |= 1 << i
			}
		}
	}
	for c := ClassNone + 1; c < numClasses; c++ {
		p.classes[c] = p.mapClass(c)
	}
	return p
}

// rules gives the access rules whose source is exactly the type or attribute and whose class is class.
func (p *Policy) rules(source uint16, class ClassValue) []policydb.Rule {
	lo, end := p.rowsOf[source-1], p.rowsOf[source]
	hi := end
	for lo < hi {
		mid := (lo + hi) / 2
		if p.rows[mid].class < class {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == end || p.rows[lo].class != class {
		return nil
	}
	return p.db.Access[p.rows[lo].start:p.rows[lo+1].start]
}

// Version gives the version of the policy's file, and 33 for a policy compiled from text.
func (p *Policy) Version() uint32 { return p.db.Version }

// MLS tells if contexts have a range.
func (p *Policy) MLS() bool { return p.db.MLS }

// HandleUnknown gives what becomes of classes and permissions that the policy lacks: "deny", "reject" or "allow".
func (p *Policy) HandleUnknown() string {
	switch p.db.Unknown {
	case policydb.UnknownAllow:
		return "allow"
	case policydb.UnknownReject:
		return "reject"
	}
	return "deny"
}

// Capability is a policy capability: a way in which the kernel's checks changed, which a policy asks for.
type Capability uint32

// The capabilities that concern sockets, by the kernel's numbers.
const (
	CapabilityNetworkPeerControls     Capability = 0  // packets are checked as netif, node and peer
	CapabilityExtendedSocketClass     Capability = 2  // sctp_socket, icmp_socket, and a class for each family
	CapabilityAlwaysCheckNetwork      Capability = 3  // packets are checked even if none is labelled
	CapabilityUserspaceInitialContext Capability = 8  // InitialInit is a process's as any other
	CapabilityNetifWildcard           Capability = 10 // names in netifcon may have * and ?
)

// Has tells if the policy has a capability.
func (p *Policy) Has(c Capability) bool { return p.db.Capabilities.Has(uint32(c)) }

// Class gives the number of the class with that name.
func (p *Policy) Class(name string) (ClassValue, bool) {
	v, ok := p.db.ClassValues[name]
	return ClassValue(v), ok
}

// ClassName gives the name of a class.
func (p *Policy) ClassName(class ClassValue) string { return p.db.ClassName(uint32(class)) }

// Permission gives the bit of the permission with that name in access vectors of class.
func (p *Policy) Permission(class ClassValue, name string) (bit uint32, ok bool) {
	if class == 0 || int(class) > len(p.db.Classes) || name == "" {
		return 0, false
	}
	for i, perm := range p.db.Classes[class-1].Permissions {
		if perm == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// PermissionNames names the bits of an access vector of class, from the lowest. Bits without a name are left out.
func (p *Policy) PermissionNames(class ClassValue, vector uint32) []string {
	names := []string{}
	if class == 0 || int(class) > len(p.db.Classes) {
		return names
	}
	for i, perm := range p.db.Classes[class-1].Permissions {
		if vector>>i&1 != 0 && perm != "" {
			names = append(names, perm)
		}
	}
	return names
}

// ParseContext reads user:role:type[:range] and checks it against the policy. An error tells which field is
// unknown or which rule is broken.
func (p *Policy) ParseContext(text string) (Context, error) { return p.db.ParseContext(text) }

// FormatContext writes a context as the kernel does, by primary names.
func (p *Policy) FormatContext(c *Context) string { return p.db.FormatContext(c) }

// Booleans gives the names of all booleans and the states that the policy sets.
func (p *Policy) Booleans() map[string]bool {
	m := make(map[string]bool, len(p.db.Booleans))
	for _, b := range p.db.Booleans {
		if b.Name != "" {
			m[b.Name] = b.State
		}
	}
	return m
}

// CompileCIL compiles the text of a policy in CIL; file is its name in errors. It knows the statements that a policy
// on sockets needs, and gives an error at file:line for any other, as for all mistakes: a *CompileError. The policy answers as what secilc makes of the
// text, except that typebounds are enforced when access is computed and not when it is compiled, as by secilc -N.
func CompileCIL(file string, text []byte) (*Policy, error) {
	db, err := cil.Compile(file, text)
	if err != nil {
		return nil, err
	}
	return newPolicy(db), nil
}
