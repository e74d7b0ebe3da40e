// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cilWriter writes a random policy in the part of CIL that CompileCIL knows.
type cilWriter struct {
	strings.Builder
	rng *rand.Rand
}

func (w *cilWriter) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *cilWriter) one(of ...string) string { return of[w.rng.IntN(len(of))] }

// rare gives mostly the first.
func (w *cilWriter) rare(mostly, seldom string) string {
	if w.rng.IntN(8) == 0 {
		return seldom
	}
	return mostly
}

// some gives between one and all of the words, in their order.
func (w *cilWriter) some(of ...string) string {
	var chosen []string
	for _, x := range of {
		if w.rng.IntN(2) == 0 {
			chosen = append(chosen, x)
		}
	}
	if len(chosen) == 0 {
		chosen = []string{w.one(of...)}
	}
	return strings.Join(chosen, " ")
}

func (w *cilWriter) typ() string { return w.one("a_t", "b_t", "c_t", "d_t", "e_t") }

func (w *cilWriter) types() string { return w.one("a_t", "b_t", "c_t", "d_t", "x", "y", "z") }

func (w *cilWriter) classPerms() string {
	switch w.rng.IntN(3) {
	case 0:
		return "(process (" + w.some("fork", "transition", "dyntransition") + "))"
	case 1:
		return "(tcp_socket (" + w.some("create", "connect", "name_bind", "name_connect") + "))"
	}
	return "(file (" + w.some("read", "write") + "))"
}

func (w *cilWriter) class() string { return w.one("process", "tcp_socket", "file") }

// condition gives a condition in which the booleans first occur in the order of their names: libsepol 3.4 takes two
// conditions for one if they differ in nothing but the order of their booleans, as (or a (not b)) and (or b (not a))
// do (bool_present in cond_expr_equal forgets the order), and secilc then joins their rules.
func (w *cilWriter) condition(depth int) string {
	for {
		text := w.anyCondition(depth)
		ordered, last := true, -1
		for _, name := range []string{"bool_a", "bool_b", "bool_c"} {
			if at := strings.Index(text, name); at >= 0 {
				ordered = ordered && at > last
				last = at
			}
		}
		if ordered {
			return text
		}
	}
}

func (w *cilWriter) anyCondition(depth int) string {
	if depth == 0 || w.rng.IntN(3) == 0 {
		return w.one("bool_a", "bool_b", "bool_c")
	}
	if w.rng.IntN(4) == 0 {
		return "(not " + w.anyCondition(depth-1) + ")"
	}
	return "(" + w.one("and", "or", "xor", "eq", "neq") + " " + w.anyCondition(depth-1) + " " + w.anyCondition(depth-1) + ")"
}

func (w *cilWriter) constraint(depth int, mls bool) string {
	if depth > 0 && w.rng.IntN(2) == 0 {
		if w.rng.IntN(4) == 0 {
			return "(not " + w.constraint(depth-1, mls) + ")"
		}
		return "(" + w.one("and", "or") + " " + w.constraint(depth-1, mls) + " " + w.constraint(depth-1, mls) + ")"
	}
	if mls && w.rng.IntN(2) == 0 {
		return "(" + w.one("eq", "neq", "dom", "domby", "incomp") + " " + w.one("l1 l2", "l1 h2", "h1 l2", "h1 h2", "l1 h1", "l2 h2") + ")"
	}
	switch w.rng.IntN(5) {
	case 0:
		return "(" + w.one("eq", "neq") + " " + w.one("u1 u2", "t1 t2") + ")"
	case 1:
		return "(" + w.one("eq", "neq", "dom", "domby", "incomp") + " r1 r2)"
	case 2:
		return "(" + w.one("eq", "neq") + " " + w.one("u1", "u2") + " " + w.one("u", "v", "(u v)") + ")"
	case 3:
		return "(" + w.one("eq", "neq") + " " + w.one("r1", "r2") + " " + w.one("m", "n", "object_r", "(m n)") + ")"
	}
	return "(" + w.one("eq", "neq") + " " + w.one("t1", "t2") + " " + w.one(w.types(), "("+w.some("a_t", "x", "z")+")") + ")"
}

func (w *cilWriter) level() string {
	return w.one("(s0)", "(s1)", "(s0 (c0))", "(s1 (range c0 c2))", "(s1 (c0 c2))", "named")
}

func (w *cilWriter) mlsRange() string {
	return w.one("low", "full", w.rare("((s0 (c0)) (s1 (range c0 c2)))", "("+w.level()+" "+w.level()+")"))
}

func (w *cilWriter) context() string {
	return w.rare("ctx", "("+w.one("u", "v")+" object_r "+w.typ()+" "+w.one("low", "full")+")")
}

func (w *cilWriter) policy() string {
	w.line("(handleunknown %s) (mls %s)", w.one("allow", "deny", "reject"), w.one("true", "true", "false"))
	w.line("(common sock (create connect name_bind)) (class process (fork transition dyntransition)) (class file (read write))")
	w.line("(class tcp_socket (name_connect)) (classcommon tcp_socket sock) (classorder (%s))",
		w.one("process file tcp_socket", "tcp_socket process file"))
	w.line("(sid kernel) (sid security) (sid unlabeled) (sid fs) (sid file) (sid file_labels) (sid init) (sid any_socket)")
	w.line("(sid port) (sid netif) (sid netmsg) (sid node)")
	w.line("(sidorder (kernel security unlabeled fs file file_labels init any_socket port netif netmsg node))")
	w.line("(sensitivity s0) (sensitivity s1) (sensitivityorder (%s))", w.rare("s0 s1", "s1 s0"))
	w.line("(category c0) (category c1) (category c2) (categoryorder (%s))", w.one("c0 c1 c2", "c0 c2 c1"))
	w.line("(sensitivitycategory s0 (%s)) (sensitivitycategory s1 (%s))", w.rare("(range c0 c2)", "c0"), w.one("range c0 c2", "(range c0 c1) c2"))
	w.line("(level named (%s)) (levelrange low ((s0) (s0))) (levelrange full ((s0) (s1 (c0 c1 c2))))", w.one("s0", "s1 (c0)"))
	w.line("(user u) (user v) (role object_r) (role m) (role n)")
	w.line("(userrole u m) (userrole u n) (userrole u object_r) (userrole v %s) (userrole v object_r)", w.one("m", "n"))
	w.line("(userlevel u (s0)) (userlevel v (s0)) (userrange u full) (userrange v %s)", w.rare("full", "low"))
	w.line("(type a_t) (type b_t) (type c_t) (type d_t) (type e_t) (typeattribute x) (typeattribute y) (typeattribute z)")
	w.line("(typeattributeset x (%s)) (typeattributeset y (%s)) (typeattributeset z (x %s))",
		w.some("a_t", "b_t", "c_t"), w.some("c_t", "d_t", "e_t"), w.some("d_t", "e_t"))
	for _, t := range []string{"a_t", "b_t", "c_t", "d_t", "e_t"} {
		w.line("(roletype object_r %s)", t)
	}
	w.line("(roletype m %s) (roletype n %s) (roletype m a_t) (boolean bool_a true) (boolean bool_b false) (boolean bool_c %s)",
		w.types(), w.types(), w.one("true", "false"))
	w.line("(context ctx (u object_r %s low))", w.typ())
	for _, sid := range strings.Fields("kernel security unlabeled fs file file_labels init any_socket port netif netmsg node") {
		w.line("(sidcontext %s %s)", sid, w.context())
	}
	w.line("(allow a_t b_t (process (fork)))") // secilc wants a rule at least
	for range w.rng.IntN(30) {
		w.statement()
	}
	return w.String()
}

func (w *cilWriter) accessRule() string {
	return fmt.Sprintf("(%s %s %s %s)", w.one("allow", "allow", "auditallow", "dontaudit"), w.types(), w.one(w.types(), "self"), w.classPerms())
}

func (w *cilWriter) statement() {
	switch w.rng.IntN(14) {
	case 0, 1, 2, 3:
		w.line("%s", w.accessRule())
	case 4:
		w.line("(booleanif %s (true %s %s) (false %s))", w.condition(2), w.accessRule(), w.accessRule(), w.accessRule())
	case 5:
		w.line("(typetransition %s %s %s %s)", w.types(), w.types(), w.class(), w.typ())
	case 6:
		w.line("(constrain %s %s)", w.classPerms(), w.constraint(2, false))
	case 7:
		w.line("(mlsconstrain %s %s)", w.classPerms(), w.constraint(2, true))
	case 8:
		w.line("(rangetransition %s %s %s %s)", w.types(), w.types(), w.class(), w.mlsRange())
	case 9:
		w.line("(portcon %s %s %s)", w.one("tcp", "udp", "sctp"), w.one("80", "(1 1023)", "(79 81)", "(80 90)", "(70 80)"), w.context())
	case 10:
		w.line("(nodecon %s %s)", w.one("(10.0.0.0) (255.0.0.0)", "(10.1.0.0) (255.255.0.0)", "(10.1.2.3) (255.255.255.255)",
			"(fd00::) (ff00::)", "(fd00::1) (ffff::ffff)"), w.context())
	case 11:
		w.line("(roletransition %s %s %s %s) (roleallow %s %s)", w.one("m", "n"), w.types(), w.class(), w.one("m", "n"), w.one("m", "n"), w.one("m", "n"))
	case 12:
		w.line("(defaultrange %s %s)", w.class(), w.one("source low", "source high", "source low-high", "target low", "target high", "target low-high", "glblub"))
	case 13:
		w.line("(netifcon %s %s %s) (typepermissive %s) (typebounds %s %s)", w.one("lo", "eth0"), w.context(), w.context(), w.typ(), w.typ(), w.typ())
	}
}

// stricter tells if we refuse what secilc 3.4 takes: of two labels for one object it keeps the first, silently; and
// kernels refuse to load a range transition whose range is not valid.
func stricter(err error) bool {
	return strings.HasSuffix(err.Error(), "two labels") || strings.Contains(err.Error(), ": the range ")
}

// Of random policies, what secilc accepts we accept, and then both answer alike.
func TestCompileCILRandomAgainstSecilc(t *testing.T) {
	if _, err := exec.LookPath("secilc"); err != nil {
		t.Skipf("secilc is not installed: %v", err)
	}
	dir := t.TempDir()
	text, binary := filepath.Join(dir, "random.cil"), filepath.Join(dir, "random.33")
	accepted := 0
	compared := "" // the policy under comparison
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, the last policy compared:\n%s", *seed, compared)
		}
	}()
	for i := range uint64(40) {
		w := &cilWriter{rng: rand.New(rand.NewPCG(*seed, i))}
		policy := w.policy()
		if err := os.WriteFile(text, []byte(policy), 0o600); err != nil {
			t.Fatal(err)
		}
		ours, ourErr := CompileCIL("random.cil", []byte(policy))
		out, theirErr := exec.Command("secilc", "-N", "-c", "33", "-o", binary, "-f", os.DevNull, text).CombinedOutput()
		if theirErr != nil {
			if ourErr == nil {
				t.Logf("seed %d, %d: only secilc refuses: %s", *seed, i, out)
			}
			continue
		}
		if ourErr != nil && stricter(ourErr) {
			t.Logf("seed %d, %d: only we refuse: %v", *seed, i, ourErr)
			continue
		}
		if ourErr != nil {
			t.Fatalf("seed %d, %d: only we refuse: %v\n%s", *seed, i, ourErr, policy)
		}
		accepted++
		theirs, err := Parse(readFile(t, binary))
		if err != nil {
			t.Fatalf("seed %d, %d: %v", *seed, i, err)
		}
		if ours.HandleUnknown() == "reject" {
			continue // a server would refuse both: they lack classes
		}
		a, b := newServer(t, ours), newServer(t, theirs)
		compared = policy
		compareAll(t, a, b)
	}
	if accepted < 3 {
		t.Errorf("secilc accepted only %d of 40 policies: this compares nothing", accepted)
	}
	t.Logf("%d of 40 accepted by secilc", accepted)
}
