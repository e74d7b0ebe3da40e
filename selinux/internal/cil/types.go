// SPDX-License-Identifier: Apache-2.0

package cil

import (
	"slices"
)

// members are the types and attributes in an attribute.
type members struct {
	line     int // of a statement that adds members
	direct   []uint32
	types    []uint32 // all types, through attributes too, in rising order; set by resolveAttributes
	visiting bool
	done     bool
}

// typeOrAttribute gives the value of a type or an attribute.
func (c *compiler) typeOrAttribute(n node) uint32 {
	if v, ok := c.attributes[n.word]; ok && !n.isList() {
		return v
	}
	return c.find(c.db.TypeValues, n, "type")
}

// typesOf gives all types that a type or attribute stands for.
func (c *compiler) typesOf(n node) []uint32 {
	v := c.typeOrAttribute(n)
	if m := c.members[v]; m != nil {
		return m.types
	}
	return []uint32{v}
}

func (c *compiler) typeAttributeSet(args []node) {
	m := c.members[c.find(c.attributes, args[0], "attribute")]
	m.line = c.line
	list := []node{args[1]}
	if args[1].isList() {
		list = args[1].list
	}
	for i, n := range list {
		if i == 0 {
			switch n.word {
			case "and", "or", "xor", "not", "all":
				c.failAt(n.line, "%s in typeattributeset is not supported, compile it with secilc", n.word)
			}
		}
		m.direct = append(m.direct, c.typeOrAttribute(n))
	}
}

// resolveAttributes finds the types of all attributes and the attributes of all types.
func (c *compiler) resolveAttributes() {
	c.db.TypeAttributes = make([][]uint16, len(c.db.Types))
	for i, t := range c.db.Types {
		v := uint32(i + 1)
		if !t.Attribute {
			c.db.TypeAttributes[i] = append(c.db.TypeAttributes[i], uint16(v))
			continue
		}
		for _, typ := range c.resolve(v) {
			c.db.TypeAttributes[typ-1] = append(c.db.TypeAttributes[typ-1], uint16(v))
		}
	}
	for _, list := range c.db.TypeAttributes {
		slices.Sort(list)
	}
}

func (c *compiler) resolve(attribute uint32) []uint32 {
	m := c.members[attribute]
	if m.visiting {
		c.failAt(m.line, "attribute %s contains itself", c.db.TypeName(attribute))
	}
	if m.done {
		return m.types
	}
	m.visiting = true
	for _, v := range m.direct {
		if c.members[v] != nil {
			m.types = append(m.types, c.resolve(v)...)
		} else {
			m.types = append(m.types, v)
		}
	}
	slices.Sort(m.types)
	m.types = slices.Compact(m.types)
	m.visiting, m.done = false, true
	return m.types
}

// typeBounds bounds a type. Rules that go beyond are cut down when access is computed, as the kernel does.
func (c *compiler) typeBounds(args []node) {
	parent, child := c.find(c.db.TypeValues, args[0], "type"), c.find(c.db.TypeValues, args[1], "type")
	t := &c.db.Types[child-1]
	if t.Bounds != 0 && t.Bounds != parent {
		c.fail("type %s has two bounds", t.Name)
	}
	t.Bounds = parent
	// The bounds of others are sound so far: a fault is this statement's.
	if what := c.db.BoundsFault(); what != "" {
		c.fail("%s", what)
	}
}

func (c *compiler) typePermissive(args []node) {
	c.db.Permissive.Set(c.find(c.db.TypeValues, args[0], "type"))
}

func (c *compiler) roleType(args []node) {
	role := &c.db.Roles[c.find(c.db.RoleValues, args[0], "role")-1]
	for _, t := range c.typesOf(args[1]) {
		role.Types.Set(t - 1)
	}
}
