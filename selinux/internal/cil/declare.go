// SPDX-License-Identifier: Apache-2.0

package cil

import (
	"slices"

	"dialtone/selinux/internal/policydb"
)

// capabilities are the policy capabilities by number (policycap_names in the kernel).
var capabilities = []string{
	"network_peer_controls", "open_perms", "extended_socket_class", "always_check_network", "cgroup_seclabel",
	"nnp_nosuid_transition", "genfs_seclabel_symlinks", "ioctl_skip_cloexec", "userspace_initial_context",
	"netlink_xperm", "netif_wildcard",
}

func (c *compiler) handleUnknown(args []node) {
	switch args[0].word {
	case "allow":
		c.db.Unknown = policydb.UnknownAllow
	case "deny":
		c.db.Unknown = policydb.UnknownDeny
	case "reject":
		c.db.Unknown = policydb.UnknownReject
	default:
		c.fail("handleunknown must be allow, deny or reject")
	}
}

func (c *compiler) mls(args []node) { c.db.MLS = c.truth(args[0]) }

func (c *compiler) policyCap(args []node) {
	i := slices.Index(capabilities, args[0].word)
	if i < 0 {
		c.fail("the policy capability %s is not known", args[0].word)
	}
	c.db.Capabilities.Set(uint32(i))
}

// maxPermissions is the width of an access vector.
const maxPermissions = 32

func (c *compiler) permissionNames(n node) []string {
	var names []string
	for _, p := range c.listOf(n, "permissions") {
		name := c.wordOf(p, "a permission")
		if slices.Contains(names, name) {
			c.failAt(p.line, "permission %s is declared twice", name)
		}
		names = append(names, name)
	}
	if len(names) > maxPermissions {
		c.fail("%d permissions are more than %d", len(names), maxPermissions)
	}
	return names
}

func (c *compiler) common(args []node) {
	name := c.wordOf(args[0], "common permissions")
	if _, ok := c.commons[name]; ok {
		c.fail("common %s is declared twice", name)
	}
	c.commons[name] = c.permissionNames(args[1])
}

func (c *compiler) class(args []node) {
	name := c.wordOf(args[0], "a class")
	if c.classes[name] != nil {
		c.fail("class %s is declared twice", name)
	}
	c.declared["class "+name] = c.line
	c.db.ClassValues[name] = 0 // until it is ordered
	c.classes[name] = &policydb.Class{Name: name, Permissions: c.permissionNames(args[1])}
}

// classCommon puts the common permissions before the class's own, whose bits follow theirs.
func (c *compiler) classCommon(args []node) {
	class := &c.db.Classes[c.classValue(args[0])-1]
	common, ok := c.commons[c.wordOf(args[1], "common permissions")]
	if !ok {
		c.fail("common %s is not declared", args[1].word)
	}
	key := "common of " + class.Name
	if c.once[key] {
		c.fail("class %s has common permissions twice", class.Name)
	}
	c.once[key] = true
	for _, p := range class.Permissions {
		if slices.Contains(common, p) {
			c.fail("class %s and its common permissions both have %s", class.Name, p)
		}
	}
	class.Permissions = slices.Concat(common, class.Permissions)
	if len(class.Permissions) > maxPermissions {
		c.fail("class %s has more than %d permissions", class.Name, maxPermissions)
	}
}

func (c *compiler) sid(args []node) { c.declare(c.sids, args[0], "SID", 0) }

func (c *compiler) sensitivity(args []node) {
	c.declare(c.db.SensitivityValues, args[0], "sensitivity", 0)
}

func (c *compiler) category(args []node) { c.declare(c.db.CategoryValues, args[0], "category", 0) }

func (c *compiler) user(args []node) {
	name := c.declare(c.db.UserValues, args[0], "user", len(c.db.Users)+1)
	c.db.Users = append(c.db.Users, policydb.User{Name: name})
}

func (c *compiler) role(args []node) {
	if args[0].word == "object_r" {
		return // it is in every policy, and has its value before all others
	}
	name := c.declare(c.db.RoleValues, args[0], "role", len(c.db.Roles)+1)
	role := policydb.Role{Name: name}
	role.Dominates.Set(uint32(len(c.db.Roles))) // a role dominates itself; object_r, which is built in, does not
	c.db.Roles = append(c.db.Roles, role)
}

func (c *compiler) typ(args []node) {
	if _, ok := c.attributes[args[0].word]; ok {
		c.fail("%s is declared as an attribute, too", args[0].word)
	}
	name := c.declare(c.db.TypeValues, args[0], "type", len(c.db.Types)+1)
	c.db.Types = append(c.db.Types, policydb.Type{Name: name})
}

func (c *compiler) typeAttribute(args []node) {
	if _, ok := c.db.TypeValues[args[0].word]; ok {
		c.fail("%s is declared as a type, too", args[0].word)
	}
	name := c.declare(c.attributes, args[0], "attribute", len(c.db.Types)+1)
	c.db.Types = append(c.db.Types, policydb.Type{Name: name, Attribute: true})
	c.members[c.attributes[name]] = &members{}
}

func (c *compiler) boolean(args []node) {
	name := c.declare(c.db.BooleanValues, args[0], "boolean", len(c.db.Booleans)+1)
	c.db.Booleans = append(c.db.Booleans, policydb.Boolean{Name: name, State: c.truth(args[1])})
}

// order gives the names of an …order statement their values, 1 for the first.
func (c *compiler) order(what string, args []node, values map[string]uint32) []string {
	if c.once[what] {
		c.fail("a second order of %s is not supported, compile it with secilc", what)
	}
	c.once[what] = true
	var names []string
	for _, n := range c.listOf(args[0], "an order") {
		name := c.wordOf(n, what)
		v, ok := values[name]
		if !ok || v != 0 {
			c.failAt(n.line, "%s is not one of the declared %s, or is ordered twice", name, what)
		}
		names = append(names, name)
		values[name] = uint32(len(names))
	}
	return names
}

func (c *compiler) classOrder(args []node) {
	for _, name := range c.order("classes", args, c.db.ClassValues) {
		c.db.Classes = append(c.db.Classes, *c.classes[name])
	}
}

func (c *compiler) sidOrder(args []node) { c.order("SIDs", args, c.sids) }

func (c *compiler) sensitivityOrder(args []node) {
	for _, name := range c.order("sensitivities", args, c.db.SensitivityValues) {
		c.db.Sensitivities = append(c.db.Sensitivities, policydb.Sensitivity{Name: name})
	}
}

func (c *compiler) categoryOrder(args []node) {
	c.db.Categories = c.order("categories", args, c.db.CategoryValues)
}

// checkOrders refuses what was declared but got no value.
func (c *compiler) checkOrders() {
	for _, s := range []struct {
		what, order string
		values      map[string]uint32
	}{
		{"class", "classorder", c.db.ClassValues},
		{"SID", "sidorder", c.sids},
		{"sensitivity", "sensitivityorder", c.db.SensitivityValues},
		{"category", "categoryorder", c.db.CategoryValues},
	} {
		var missing []string
		for name, v := range s.values {
			if v == 0 {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			name := slices.Min(missing)
			c.failAt(c.declared[s.what+" "+name], "%s %s is missing in %s", s.what, name, s.order)
		}
	}
}
