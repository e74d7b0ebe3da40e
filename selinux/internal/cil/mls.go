// SPDX-License-Identifier: Apache-2.0

package cil

import (
	"maps"

	"dialtone/selinux/internal/policydb"
)

// name enters what a named level, range or context stands for.
func (c *compiler) name(named map[string]node, what string, args []node) {
	name := c.wordOf(args[0], "the name of a "+what)
	if _, ok := named[name]; ok {
		c.fail("%s %s is declared twice", what, name)
	}
	named[name] = args[1]
}

func (c *compiler) namedLevel(args []node) { c.name(c.levels, "level", args) }

func (c *compiler) namedRange(args []node) { c.name(c.ranges, "levelrange", args) }

func (c *compiler) namedContext(args []node) { c.name(c.contexts, "context", args) }

// deref gives the list that n is, or that its name stands for.
func (c *compiler) deref(named map[string]node, n node, what string) []node {
	if !n.isList() {
		var ok bool
		name := n.word
		if n, ok = named[name]; !ok {
			c.fail("%s %s is not declared", what, name)
		}
	}
	return c.listOf(n, "a "+what)
}

// level reads a name or (sensitivity) or (sensitivity (categories)).
func (c *compiler) level(n node) policydb.Level {
	list := c.deref(c.levels, n, "level")
	if len(list) != 1 && len(list) != 2 {
		c.failAt(n.line, "a level is a sensitivity and, if there are any, categories")
	}
	l := policydb.Level{Sensitivity: c.find(c.db.SensitivityValues, list[0], "sensitivity")}
	if len(list) == 2 {
		l.Categories = c.categorySet(list[1])
	}
	return l
}

// categorySet reads (category…), where a span (range a b) may be the list or stand in it.
func (c *compiler) categorySet(n node) policydb.Bitmap {
	var set policydb.Bitmap
	list := c.listOf(n, "categories")
	if len(list) == 0 {
		c.failAt(n.line, "the list of categories is empty")
	}
	switch list[0].word {
	case "range":
		if len(list) != 3 {
			c.failAt(n.line, "a range has two categories")
		}
		low := c.find(c.db.CategoryValues, list[1], "category")
		high := c.find(c.db.CategoryValues, list[2], "category")
		if low > high {
			c.failAt(n.line, "the range of categories %s to %s falls", list[1].word, list[2].word)
		}
		for v := low; v <= high; v++ {
			set.Set(v - 1)
		}
		return set
	case "and", "or", "xor", "not", "all":
		c.failAt(n.line, "%s in categories is not supported, compile it with secilc", list[0].word)
	}
	for _, item := range list {
		if item.isList() {
			for bit := range c.categorySet(item).All() {
				set.Set(bit)
			}
		} else {
			set.Set(c.find(c.db.CategoryValues, item, "category") - 1)
		}
	}
	return set
}

// mlsRange reads a name or (low high).
func (c *compiler) mlsRange(n node) policydb.Range {
	list := c.deref(c.ranges, n, "levelrange")
	if len(list) != 2 {
		c.failAt(n.line, "a range has two levels")
	}
	r := policydb.Range{Low: c.level(list[0]), High: c.level(list[1])}
	if !r.Valid(c.db) {
		c.fail("the range %s is not valid: its categories do not go with its sensitivities, or it falls",
			c.db.FormatRange(&r))
	}
	return r
}

// context reads a name or (user role type range).
func (c *compiler) context(n node) policydb.Context {
	list := c.deref(c.contexts, n, "context")
	if len(list) != 4 {
		c.failAt(n.line, "a context has a user, a role, a type and a range")
	}
	ctx := policydb.Context{
		User: c.find(c.db.UserValues, list[0], "user"),
		Role: c.find(c.db.RoleValues, list[1], "role"),
		Type: c.find(c.db.TypeValues, list[2], "type"),
	}
	ctx.Range = c.mlsRange(list[3])
	c.used = append(c.used, usedContext{c.line, ctx}) // users and roles are complete only at the end
	return ctx
}

// usedContext is a context that a statement gives to an object.
type usedContext struct {
	line    int
	context policydb.Context
}

func (c *compiler) checkContexts() {
	for i := range c.used {
		if fault := c.db.Fault(&c.used[i].context); fault != policydb.FaultNone {
			c.failAt(c.used[i].line, "context %s: %s", c.db.FormatContext(&c.used[i].context), fault)
		}
	}
}

func (c *compiler) sensitivityCategory(args []node) {
	s := &c.db.Sensitivities[c.find(c.db.SensitivityValues, args[0], "sensitivity")-1]
	for bit := range c.categorySet(args[1]).All() {
		s.Categories.Set(bit)
	}
}

func (c *compiler) userRole(args []node) {
	u := &c.db.Users[c.find(c.db.UserValues, args[0], "user")-1]
	u.Roles.Set(c.find(c.db.RoleValues, args[1], "role") - 1)
}

// userLevel checks the default level, which no decision uses.
func (c *compiler) userLevel(args []node) {
	c.find(c.db.UserValues, args[0], "user")
	c.level(args[1])
}

func (c *compiler) userRange(args []node) {
	u := &c.db.Users[c.find(c.db.UserValues, args[0], "user")-1]
	if u.Range.Low.Sensitivity != 0 {
		c.fail("user %s has two ranges", u.Name)
	}
	u.Range = c.mlsRange(args[1])
}

func (c *compiler) checkUsers() {
	for _, u := range c.db.Users {
		if c.db.MLS && u.Range.Low.Sensitivity == 0 {
			c.failAt(c.declared["user "+u.Name], "user %s has no userrange", u.Name)
		}
	}
}

func (c *compiler) rangeTransition(args []node) {
	sources, targets := c.typesOf(args[0]), c.typesOf(args[1])
	class, r := c.classValue(args[2]), c.mlsRange(args[3])
	if !c.db.MLS {
		return
	}
	added := map[policydb.RangeKey]policydb.Range{}
	for _, s := range sources {
		for _, t := range targets {
			key := policydb.RangeKey{Source: s, Target: t, Class: class}
			if old, ok := c.db.RangeTransitions[key]; ok && !old.Equal(&r) {
				c.fail("two range transitions from %s by %s differ", c.db.TypeName(s), c.db.TypeName(t))
			}
			added[key] = r
		}
	}
	maps.Copy(c.db.RangeTransitions, added)
}

// defaultRange reads (defaultrange class source|target low|high|low-high) and (defaultrange class glblub).
func (c *compiler) defaultRange(args []node) {
	words := c.wordOf(args[1], "a default")
	if len(args) == 3 {
		words += " " + c.wordOf(args[2], "a default")
	}
	def, ok := map[string]policydb.DefaultRange{
		"source low": policydb.RangeSourceLow, "source high": policydb.RangeSourceHigh,
		"source low-high": policydb.RangeSourceLowHigh,
		"target low":      policydb.RangeTargetLow, "target high": policydb.RangeTargetHigh,
		"target low-high": policydb.RangeTargetLowHigh, "glblub": policydb.RangeGLBLUB,
	}[words]
	if !ok {
		c.fail("the default range %s is not known", words)
	}
	classes := []node{args[0]}
	if args[0].isList() {
		classes = args[0].list
	}
	for _, n := range classes {
		class := &c.db.Classes[c.classValue(n)-1]
		if class.DefaultRange != policydb.RangeNone && class.DefaultRange != def {
			c.fail("class %s has two default ranges", class.Name)
		}
		class.DefaultRange = def
	}
}
