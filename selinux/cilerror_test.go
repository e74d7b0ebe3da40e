// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"strings"
	"testing"
)

// cilBase declares what the statements under test use; it has nine lines.
const cilBase = `(mls true) (class process (fork transition)) (class tcp_socket (create)) (classorder (process tcp_socket))
(sid kernel) (sid security) (sid unlabeled) (sidorder (kernel security unlabeled))
(sensitivity s0) (sensitivity s1) (sensitivityorder (s0 s1)) (category c0) (category c1) (categoryorder (c0 c1))
(sensitivitycategory s0 (c0)) (user u) (role r) (userrole u r) (type a_t) (type b_t) (roletype r a_t)
(typeattribute x) (typeattributeset x (a_t b_t)) (typeattribute y)
(levelrange low ((s0) (s0))) (userlevel u (s0)) (userrange u ((s0) (s0 (c0))))
(boolean on true)
(sidcontext unlabeled (u object_r a_t low))
(allow x self (process (fork)))
`

func TestCompileCILErrors(t *testing.T) {
	if _, err := CompileCIL("base.cil", []byte(cilBase)); err != nil {
		t.Fatalf("the base does not compile: %v", err)
	}
	for _, c := range []struct{ text, want string }{
		// Statements and forms that are CIL's but not ours.
		{"\n(block b (type c_t))", "p.cil:11: the statement block is not supported, compile it with secilc"},
		{"(typealias old_t)", "p.cil:10: the statement typealias is not supported, compile it with secilc"},
		{"(neverallow a_t b_t (process (fork)))", "p.cil:10: the statement neverallow is not supported, compile it with secilc"},
		{"(booleanif on (true\n(typechange a_t b_t process a_t)))", "p.cil:11: the statement typechange in booleanif is not supported, compile it with secilc"},
		{"(typeattributeset x (and a_t b_t))", "p.cil:10: and in typeattributeset is not supported, compile it with secilc"},
		{`(typetransition a_t b_t process "name" a_t)`, "p.cil:10: a quoted string is not supported, compile it with secilc"},
		{"(typetransition a_t b_t process name a_t)", "p.cil:10: typetransition has 5 arguments, not 4"},
		{"(classorder (process))", "p.cil:10: a second order of classes is not supported, compile it with secilc"},
		{"(allow a_t b_t px)", "p.cil:10: a class with permissions must be a list, not px"},
		{"(sensitivitycategory s1 (not c0))", "p.cil:10: not in categories is not supported, compile it with secilc"},
		{"(nodecon home (255.0.0.0) (u object_r a_t low))", "p.cil:10: an address must be written (address): a named one is not supported, compile it with secilc"},
		// Texts that are not CIL.
		{"(allow a_t", "p.cil:10: the parenthesis is not closed"},
		{")", "p.cil:10: a closing parenthesis without an opening one"},
		{"allow", "p.cil:10: a statement is a list that begins with its keyword"},
		{"()", "p.cil:10: a statement is a list that begins with its keyword"},
		{strings.Repeat("(", 200), "p.cil:10: lists are nested deeper than 100"},
		// Statements that secilc refuses as well.
		{"; a comment with ( in it\n(allow a_t c_t (process (fork)))", "p.cil:11: type c_t is not declared"},
		{"(allow a_t b_t (process (run)))", "p.cil:10: class process has no permission run"},
		{"(allow a_t b_t (file (read)))", "p.cil:10: class file is not declared"},
		{"(type a_t)", "p.cil:10: type a_t is declared twice"},
		{"(type x)", "p.cil:10: x is declared as an attribute, too"},
		{"(class dir (search))", "p.cil:10: class dir is missing in classorder"},
		{"(sensitivity s2)", "p.cil:10: sensitivity s2 is missing in sensitivityorder"},
		{"(typeattributeset x (y)) (typeattributeset y (x))", "p.cil:10: attribute x contains itself"},
		{"(typebounds a_t b_t)\n(typebounds b_t a_t)\n(typepermissive a_t)", "p.cil:11: the bounds of type a_t are too deep or loop"},
		{"(user v)\n(type d_t)", "p.cil:10: user v has no userrange"},
		{"(userrange u low)", "p.cil:10: user u has two ranges"},
		{"(levelrange bad ((s1) (s0))) (portcon tcp 1 (u object_r a_t bad))", "p.cil:10: the range s1-s0 is not valid"},
		{"(levelrange bad ((s0) (s0 (c1)))) (portcon tcp 1 (u object_r a_t bad))", "p.cil:10: the range s0-s0:c1 is not valid"},
		{"(portcon tcp 1 (u r b_t low))", "p.cil:10: context u:r:b_t:s0: the role may not have this type"},
		{"(portcon tcp 65536 (u r a_t low))", `p.cil:10: "65536" is no port`},
		{"(portcon tcp (2 1) (u r a_t low))", "p.cil:10: the range of ports 2 to 1 falls"},
		{"(portcon tcp 1 (u r a_t low)) (portcon tcp 1 (u object_r a_t low))", "p.cil:10: tcp port 1-1 has two labels"},
		{"(netifcon lo (u r a_t low) (u r a_t low)) (netifcon lo (u r a_t low) (u object_r a_t low))", "p.cil:10: a message from interface lo has two labels"},
		{"(nodecon (::1) (ff00::) (u r a_t low)) (nodecon (::1) (ff00::) (u object_r a_t low))", "p.cil:10: node ::1 mask ff00:: has two labels"},
		{"(nodecon (10.0.0.1) (ff00::) (u r a_t low))", "p.cil:10: address and mask are of different families"},
		{"(typetransition a_t b_t process a_t) (typetransition x b_t process b_t)", "p.cil:10: type transitions from a_t by b_t to both"},
		{"(constrain (process (fork)) (eq l1 l2))", "p.cil:10: only an mlsconstrain may compare levels"},
		{"(constrain (process (fork)) (dom t1 t2))", "p.cil:10: dom compares roles and levels only"},
		{"(constrain (process (fork)) (eq u1 r2))", "p.cil:10: user r2 is not declared"},
		{"(booleanif off (true (allow a_t b_t (process (fork)))))", "p.cil:10: boolean off is not declared"},
		{"(booleanif (and on) (true (allow a_t b_t (process (fork)))))", "p.cil:10: the condition is not an operator with its operands"},
		{"(policycap no_such)", "p.cil:10: the policy capability no_such is not known"},
		{"(handleunknown maybe)", "p.cil:10: handleunknown must be allow, deny or reject"},
	} {
		_, err := CompileCIL("p.cil", []byte(cilBase+c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}
