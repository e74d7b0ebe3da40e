// SPDX-License-Identifier: Apache-2.0

// Package policydb holds an SELinux policy as tables, and reads them from the kernel's binary form.
//
// The tables are those of the kernel's security/selinux/ss/policydb.h. Values of classes, roles, types, users,
// booleans, sensitivities and categories start at 1, as in the file; 0 means none. A table of symbols is a slice
// indexed by value-1. Bitmaps of types, roles and categories hold bit value-1; Permissive alone holds bit value,
// as the kernel does. A DB is not changed after it was built, so many may read it at once.
package policydb

// HandleUnknown says what becomes of classes and permissions that the policy does not know.
type HandleUnknown uint8

const (
	// UnknownDeny denies them.
	UnknownDeny HandleUnknown = iota
	// UnknownReject refuses to load the policy when any is missing.
	UnknownReject
	// UnknownAllow grants them.
	UnknownAllow
)

// ObjectR is the value of role object_r, which may be combined with every user and type.
const ObjectR = 1

// MaxSymbols bounds every symbol table. Access vector rules store types and classes in 16 bits.
const MaxSymbols = 0xFFFF

// DB is a whole policy.
type DB struct {
	Version      uint32 // of the file; 33 for one compiled from text
	MLS          bool
	Unknown      HandleUnknown
	Capabilities Bitmap // bit number = number of the policy capability
	Permissive   Bitmap // bit number = type value, not value-1

	Classes       []Class
	Roles         []Role
	Types         []Type
	Users         []User
	Booleans      []Boolean
	Sensitivities []Sensitivity
	Categories    []string

	// Names to values. Types, sensitivities and categories include aliases; types exclude attributes.
	ClassValues, RoleValues, TypeValues, UserValues, BooleanValues, SensitivityValues, CategoryValues map[string]uint32

	// TypeAttributes lists for each type value-1, in rising order, the attributes it has and the type itself.
	TypeAttributes [][]uint16

	Access       []Rule // allow, auditallow and auditdeny, sorted by source, class, target, condition
	TypeRules    []Rule // type_transition, type_member and type_change, sorted in the same way
	Conditionals []Conditional

	RoleTransitions  []RoleTransition // the first match wins
	RoleAllows       []RoleAllow
	RangeTransitions map[RangeKey]Range

	InitialSIDs map[uint32]Context
	Ports       []Port  // the first match wins
	Nodes       []Node  // IPv4 and IPv6; the first match of the address's family wins
	Netifs      []Netif // the first match wins
}

// Class is an object class.
type Class struct {
	Name        string
	Permissions []string // of common and class; the permission with value v is bit v-1
	Constraints []Constraint

	DefaultUser, DefaultRole, DefaultType Default
	DefaultRange                          DefaultRange
}

// Default says from whom a new object takes its user, role or type.
type Default uint8

// The values of the file.
const (
	DefaultNone Default = iota
	DefaultSource
	DefaultTarget
)

// DefaultRange says from whom a new object takes its MLS range.
type DefaultRange uint8

// The values of the file.
const (
	RangeNone DefaultRange = iota
	RangeSourceLow
	RangeSourceHigh
	RangeSourceLowHigh
	RangeTargetLow
	RangeTargetHigh
	RangeTargetLowHigh
	RangeGLBLUB // greatest lower and least upper bound of both
)

// Role is a role and the types it may have.
type Role struct {
	Name      string
	Bounds    uint32
	Dominates Bitmap
	Types     Bitmap
}

// Type is a type or an attribute; they share one space of values.
type Type struct {
	Name      string // empty for a value that the policy leaves out
	Attribute bool
	Bounds    uint32
}

// User is an SELinux user, the roles it may have and its MLS clearance.
type User struct {
	Name   string
	Bounds uint32
	Roles  Bitmap
	Range  Range
}

// Boolean is a switch for conditional rules.
type Boolean struct {
	Name  string
	State bool // as the policy sets it
}

// Sensitivity is an MLS sensitivity and the categories that may go with it.
type Sensitivity struct {
	Name       string
	Categories Bitmap
}

// RuleKind is what a rule of the access vector table means.
type RuleKind uint16

// The values of the file, where exactly one of them is set.
const (
	Allow          RuleKind = 0x1
	AuditAllow     RuleKind = 0x2
	AuditDeny      RuleKind = 0x4 // a dontaudit rule: the data are the permissions still audited
	TypeTransition RuleKind = 0x10
	TypeMember     RuleKind = 0x20
	TypeChange     RuleKind = 0x40
)

// Unconditional is the Cond of a rule that always holds.
const Unconditional = -1

// Rule is an entry of the access vector table. Source and target may be attributes in an access rule.
type Rule struct {
	Source, Target, Class uint16
	Kind                  RuleKind
	Data                  uint32 // permissions, or the value of a type
	Cond                  int32  // Unconditional, or 2*index of the conditional + 1 if on its false branch
}

// Conditional is the condition of the rules under an if.
type Conditional struct {
	Expr []BoolTerm // in reverse Polish notation
}

// BoolOp is an operator of a condition.
type BoolOp uint8

// The values of the file.
const (
	BoolValue BoolOp = iota + 1
	BoolNot
	BoolOr
	BoolAnd
	BoolXor
	BoolEq
	BoolNeq
)

// BoolTerm is an operator or, for BoolValue, the boolean with the given value.
type BoolTerm struct {
	Op      BoolOp
	Boolean uint32
}

// RoleTransition gives a new object of a class its role.
type RoleTransition struct{ Role, Type, Class, New uint32 }

// RoleAllow permits a process to go from one role to another.
type RoleAllow struct{ Role, New uint32 }

// RangeKey is what a range_transition matches.
type RangeKey struct{ Source, Target, Class uint32 }

// Port labels an inclusive range of ports, in host byte order, of an IP protocol number.
type Port struct {
	Protocol  uint32
	Low, High uint16
	Context   Context
}

// Node labels the addresses for which address & mask == Addr. Addr and Mask are of 4 or of 16 bytes.
type Node struct {
	Addr, Mask []byte
	Context    Context
}

// Netif labels a network interface and the packets that arrive there without a label.
type Netif struct {
	Name             string
	Context, Message Context
}

// LiveConditions evaluates every conditional for the given boolean states, which are indexed by value-1.
// The result tells for a rule's Cond whether the rule holds.
func (db *DB) LiveConditions(booleans []bool) []bool {
	live := make([]bool, 2*len(db.Conditionals))
	for i := range db.Conditionals {
		v := db.Conditionals[i].Eval(booleans)
		live[2*i], live[2*i+1] = v, !v
	}
	return live
}

// Eval gives the value of the condition.
func (c *Conditional) Eval(booleans []bool) bool {
	var stack [MaxConditionDepth]bool
	n := 0
	for _, t := range c.Expr {
		switch t.Op {
		case BoolValue:
			stack[n] = booleans[t.Boolean-1]
			n++
		case BoolNot:
			stack[n-1] = !stack[n-1]
		case BoolOr, BoolAnd, BoolXor, BoolEq, BoolNeq:
			n--
			a, b := stack[n-1], stack[n]
			switch t.Op {
			case BoolOr:
				a = a || b
			case BoolAnd:
				a = a && b
			case BoolEq:
				a = a == b
			case BoolXor, BoolNeq:
				a = a != b
			}
			stack[n-1] = a
		}
	}
	return stack[0]
}
