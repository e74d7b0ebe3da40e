// SPDX-License-Identifier: Apache-2.0

// Package cil compiles a part of CIL, SELinux's Common Intermediate Language, to the tables of a policy: what a
// policy on sockets needs, and no more. Statements stand for what secilc makes of them; any other is an error that
// names it.
package cil

import (
	"fmt"

	"dialtone/selinux/internal/policydb"
)

// The order in which statements are looked at. CIL itself gives their order in the text no meaning.
const (
	phaseDeclare = iota // names
	phaseOrder          // values of classes, SIDs, sensitivities and categories
	phaseCommon         // permissions
	phaseSet            // members of attributes, categories of sensitivities
	phaseRule           // what uses these
	phases
)

// statements are the supported statements: when they are looked at, and how many words may follow the keyword.
var statements = map[string]struct {
	phase, min, max int
	do              func(*compiler, []node)
}{
	"handleunknown":       {phaseDeclare, 1, 1, (*compiler).handleUnknown},
	"mls":                 {phaseDeclare, 1, 1, (*compiler).mls},
	"policycap":           {phaseDeclare, 1, 1, (*compiler).policyCap},
	"common":              {phaseDeclare, 2, 2, (*compiler).common},
	"class":               {phaseDeclare, 2, 2, (*compiler).class},
	"sid":                 {phaseDeclare, 1, 1, (*compiler).sid},
	"sensitivity":         {phaseDeclare, 1, 1, (*compiler).sensitivity},
	"category":            {phaseDeclare, 1, 1, (*compiler).category},
	"user":                {phaseDeclare, 1, 1, (*compiler).user},
	"role":                {phaseDeclare, 1, 1, (*compiler).role},
	"type":                {phaseDeclare, 1, 1, (*compiler).typ},
	"typeattribute":       {phaseDeclare, 1, 1, (*compiler).typeAttribute},
	"boolean":             {phaseDeclare, 2, 2, (*compiler).boolean},
	"level":               {phaseDeclare, 2, 2, (*compiler).namedLevel},
	"levelrange":          {phaseDeclare, 2, 2, (*compiler).namedRange},
	"context":             {phaseDeclare, 2, 2, (*compiler).namedContext},
	"classorder":          {phaseOrder, 1, 1, (*compiler).classOrder},
	"sidorder":            {phaseOrder, 1, 1, (*compiler).sidOrder},
	"sensitivityorder":    {phaseOrder, 1, 1, (*compiler).sensitivityOrder},
	"categoryorder":       {phaseOrder, 1, 1, (*compiler).categoryOrder},
	"classcommon":         {phaseCommon, 2, 2, (*compiler).classCommon},
	"sensitivitycategory": {phaseSet, 2, 2, (*compiler).sensitivityCategory},
	"typeattributeset":    {phaseSet, 2, 2, (*compiler).typeAttributeSet},
	"userrole":            {phaseRule, 2, 2, (*compiler).userRole},
	"userlevel":           {phaseRule, 2, 2, (*compiler).userLevel},
	"userrange":           {phaseRule, 2, 2, (*compiler).userRange},
	"roletype":            {phaseRule, 2, 2, (*compiler).roleType},
	"roleallow":           {phaseRule, 2, 2, (*compiler).roleAllow},
	"roletransition":      {phaseRule, 4, 4, (*compiler).roleTransition},
	"rangetransition":     {phaseRule, 4, 4, (*compiler).rangeTransition},
	"typebounds":          {phaseRule, 2, 2, (*compiler).typeBounds},
	"typepermissive":      {phaseRule, 1, 1, (*compiler).typePermissive},
	"defaultrange":        {phaseRule, 2, 3, (*compiler).defaultRange},
	"allow":               {phaseRule, 3, 3, (*compiler).allow},
	"auditallow":          {phaseRule, 3, 3, (*compiler).auditAllow},
	"dontaudit":           {phaseRule, 3, 3, (*compiler).dontAudit},
	"typetransition":      {phaseRule, 4, 4, (*compiler).typeTransition},
	"booleanif":           {phaseRule, 2, 3, (*compiler).booleanIf},
	"constrain":           {phaseRule, 2, 2, (*compiler).constrain},
	"mlsconstrain":        {phaseRule, 2, 2, (*compiler).mlsConstrain},
	"sidcontext":          {phaseRule, 2, 2, (*compiler).sidContext},
	"portcon":             {phaseRule, 3, 3, (*compiler).portCon},
	"netifcon":            {phaseRule, 3, 3, (*compiler).netifCon},
	"nodecon":             {phaseRule, 3, 3, (*compiler).nodeCon},
}

// failure carries the first error up to Compile.
type failure struct{ *Error }

// compiler is the state of one compilation.
type compiler struct {
	reader *reader
	line   int // of the statement under way
	db     *policydb.DB

	commons    map[string][]string
	classes    map[string]*policydb.Class // declared; they get into db by their order
	sids       map[string]uint32          // 0 until ordered
	attributes map[string]uint32
	members    map[uint32]*members // by attribute

	// Named contexts, ranges and levels are read where they are used, since they may stand before what they name.
	levels, ranges, contexts map[string]node

	once     map[string]bool // statements that may stand but once, seen
	used     []usedContext
	labelled map[string]policydb.Context // objects by what they are called in errors

	// Where to point for faults that show only when all statements are known.
	declared  map[string]int // line of a declaration, by "type a_t"
	typeRules map[policydb.Rule]int
	cond      int32 // the branch under way, see policydb.Rule
}

// Compile compiles the text of a file, whose name goes into errors. An error is a *Error.
func Compile(file string, text []byte) (db *policydb.DB, err error) {
	defer func() {
		if e := recover(); e != nil {
			f, ours := e.(failure)
			if !ours {
				panic(e)
			}
			db, err = nil, f.Error
		}
	}()
	c := newCompiler(&reader{file: file, text: text, line: 1})
	all := c.reader.statements()
	for _, n := range all {
		if _, ok := statements[n.list[0].word]; !ok {
			c.failAt(n.line, "the statement %s is not supported, compile it with secilc", n.list[0].word)
		}
	}
	for phase := range phases {
		for _, n := range all {
			s := statements[n.list[0].word]
			if s.phase != phase {
				continue
			}
			c.line = n.line
			c.count(n, s.min, s.max)
			s.do(c, n.list[1:])
		}
		c.finish(phase)
	}
	return c.db, nil
}

func newCompiler(r *reader) *compiler {
	symbols := func() map[string]uint32 { return map[string]uint32{} }
	return &compiler{
		reader: r, cond: policydb.Unconditional,
		db: &policydb.DB{
			Version:     policydb.MaxVersion,
			ClassValues: symbols(), TypeValues: symbols(), UserValues: symbols(),
			BooleanValues: symbols(), SensitivityValues: symbols(), CategoryValues: symbols(),
			// Every policy has object_r, declared or not.
			Roles: []policydb.Role{{Name: "object_r"}}, RoleValues: map[string]uint32{"object_r": policydb.ObjectR},
			RangeTransitions: map[policydb.RangeKey]policydb.Range{},
			InitialSIDs:      map[uint32]policydb.Context{},
		},
		commons: map[string][]string{}, classes: map[string]*policydb.Class{},
		sids: symbols(), attributes: symbols(), members: map[uint32]*members{},
		levels: map[string]node{}, ranges: map[string]node{}, contexts: map[string]node{},
		once: map[string]bool{}, labelled: map[string]policydb.Context{},
		declared: map[string]int{}, typeRules: map[policydb.Rule]int{},
	}
}

// finish does what can be done only when a phase's statements are all known.
func (c *compiler) finish(phase int) {
	switch phase {
	case phaseOrder:
		c.checkOrders()
	case phaseSet:
		c.resolveAttributes()
	case phaseRule:
		c.checkUsers()
		c.checkContexts()
		c.sortLabels()
		c.db.SortRules()
		c.checkTypeRules()
	}
}

// fail ends the compilation with an error at the statement under way.
func (c *compiler) fail(format string, args ...any) { c.reader.fail(c.line, format, args...) }

func (c *compiler) failAt(line int, format string, args ...any) { c.reader.fail(line, format, args...) }

// count checks how many words follow the keyword of n.
func (c *compiler) count(n node, low, high int) {
	if got := len(n.list) - 1; got < low || got > high {
		want := fmt.Sprint(low)
		if low != high {
			want = fmt.Sprintf("%d to %d", low, high)
		}
		c.failAt(n.line, "%s has %d arguments, not %s", n.list[0].word, got, want)
	}
}

// wordOf gives the word n, which must not be a list.
func (c *compiler) wordOf(n node, what string) string {
	if n.isList() {
		c.failAt(n.line, "%s must be a name here: anything else is not supported, compile it with secilc", what)
	}
	return n.word
}

// listOf gives the members of the list n, which must not be a word.
func (c *compiler) listOf(n node, what string) []node {
	if !n.isList() {
		c.failAt(n.line, "%s must be a list, not %s", what, n.word)
	}
	return n.list
}

// declare enters a name with the value that is next.
func (c *compiler) declare(values map[string]uint32, n node, what string, next int) string {
	name := c.wordOf(n, what)
	if _, ok := values[name]; ok {
		c.failAt(n.line, "%s %s is declared twice", what, name)
	}
	if next > policydb.MaxSymbols {
		c.failAt(n.line, "more than %d of %s", policydb.MaxSymbols, what)
	}
	values[name] = uint32(next)
	c.declared[what+" "+name] = n.line
	return name
}

// find gives the value of a name.
func (c *compiler) find(values map[string]uint32, n node, what string) uint32 {
	name := c.wordOf(n, what)
	v, ok := values[name]
	if !ok || v == 0 {
		c.failAt(n.line, "%s %s is not declared", what, name)
	}
	return v
}

func (c *compiler) truth(n node) bool {
	switch n.word {
	case "true":
		return true
	case "false":
		return false
	}
	c.failAt(n.line, "a truth value must be true or false")
	return false
}
