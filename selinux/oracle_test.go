// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// update asks libsepol anew for testdata/*.answers. It needs cc and Debian's libsepol-dev.
var update = flag.Bool("update", false, "write testdata/*.answers by libsepol's answers")

// seed makes the random policies and questions. Go on a hunt with others.
var seed = flag.Uint64("seed", 1, "of random policies and questions")

// more are further policies for TestLibsepolLive, of systems that are not at hand everywhere.
var more = flag.String("policies", "", "files of policies, separated by commas, to compare with libsepol on")

// oracle is a running testdata/oracle.c: libsepol, an engine independent of ours.
type oracle struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// startOracle compiles and starts the oracle, and skips the test if this machine cannot.
func startOracle(t testing.TB, policy string) *oracle {
	t.Helper()
	program := filepath.Join(t.TempDir(), "oracle")
	if out, err := exec.Command("cc", "-O2", "-o", program, "testdata/oracle.c", "-l:libsepol.a").CombinedOutput(); err != nil {
		t.Skipf("libsepol's engine cannot be compiled here (cc and libsepol-dev are needed): %v\n%s", err, out)
	}
	cmd := exec.Command(program, policy)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the oracle ended with %v", err)
		}
	})
	return &oracle{in, bufio.NewReaderSize(out, 1<<16)}
}

func (o *oracle) ask(t testing.TB, question string) string {
	t.Helper()
	if _, err := fmt.Fprintln(o.in, question); err != nil {
		t.Fatal(err)
	}
	line, err := o.out.ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// answer is what the oracle says, from this package's server.
func (s *Server) answer(t testing.TB, question string) string {
	t.Helper()
	w := strings.Fields(question)
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	context := func(sid SID) string {
		text, err := s.SIDToContext(sid)
		if err != nil {
			return "-"
		}
		return text
	}
	label := func(c Context, err error) string {
		if err != nil {
			return "-"
		}
		return s.policy.FormatContext(&c)
	}
	switch w[0] {
	case "av", "new":
		a, b := mustContext(t, s.policy, w[1]), mustContext(t, s.policy, w[2])
		class, ok := s.policy.Class(w[3])
		if !ok {
			t.Fatalf("no class %s", w[3])
		}
		if w[0] == "av" {
			av := s.ComputeAV(&a, &b, class)
			return fmt.Sprint(av.Allowed, av.AuditAllow, av.AuditDeny)
		}
		return label(s.Transition(&a, &b, class)) + " " + label(s.Member(&a, &b, class)) + " " + label(s.Change(&a, &b, class))
	case "context":
		return label(s.policy.ParseContext(w[1]))
	case "port":
		return context(s.PortSID(number(w[1]), uint16(number(w[2]))))
	case "node":
		return context(s.NodeSID(netip.MustParseAddr(w[1])))
	case "netif":
		netif, message := s.NetifSID(w[1])
		return context(netif) + " " + context(message)
	case "bool":
		if err := s.SetBooleans(map[string]bool{w[1]: w[2] == "1"}); err != nil {
			t.Fatal(err)
		}
		return "ok"
	}
	t.Fatalf("unknown question %s", question)
	return ""
}

// questions draws n questions on a policy.
func questions(p *Policy, n int, rng *rand.Rand) []string {
	var users, roles, types, classes, booleans []string
	for _, x := range p.db.Users {
		users = append(users, x.Name)
	}
	for _, x := range p.db.Roles {
		roles = append(roles, x.Name)
	}
	for _, x := range p.db.Types {
		types = append(types, x.Name)
	}
	for _, x := range p.db.Classes {
		classes = append(classes, x.Name)
	}
	for _, x := range p.db.Booleans {
		booleans = append(booleans, x.Name)
	}
	ranges := sampleRanges(p)
	pick := func(from []string) string { return from[rng.IntN(len(from))] }
	context := func() string { return pick(users) + ":" + pick(roles) + ":" + pick(types) + pick(ranges) }
	// libsepol 3.4 dereferences a null pointer where a bounding type is cut down by its own bounds, so such types
	// are not drawn. The kernel does not, see TestNestedBounds.
	valid := func() string {
		for {
			text := context()
			if c, err := p.ParseContext(text); err == nil && !nestedBounds(p, &c) {
				return text
			}
		}
	}
	all := make([]string, 0, n)
	for len(all) < n {
		q := ""
		switch k := rng.IntN(20); {
		case k < 9:
			q = "av " + valid() + " " + valid() + " " + pick(classes)
		case k < 14:
			q = "new " + valid() + " " + valid() + " " + pick(classes)
		case k < 16:
			q = "context " + context()
		case k < 17:
			port := []int{rng.IntN(1 << 16), rng.IntN(100), 8000 + rng.IntN(100)}[rng.IntN(3)]
			q = fmt.Sprintf("port %s %d", pick([]string{"6", "17", "33", "132"}), port)
		case k < 18:
			q = "node " + pick([]string{"10.1.2.3", "10.1.2.4", "10.2.0.1", "192.0.2.1", "fd00::1", "fd00::2", "::1"})
		case k < 19:
			q = "netif " + pick([]string{"lo", "eth0", "eth1"})
		case len(booleans) > 0:
			q = fmt.Sprintf("bool %s %d", pick(booleans), rng.IntN(2))
		default:
			continue
		}
		all = append(all, q)
	}
	return all
}

func nestedBounds(p *Policy, c *Context) bool {
	b := p.db.Types[c.Type-1].Bounds
	return b != 0 && p.db.Types[b-1].Bounds != 0
}

// withoutReason cuts libsepol's reason bits off its answers on access vectors.
func withoutReason(question, answer string) string {
	if strings.HasPrefix(question, "av ") {
		return answer[:strings.LastIndexByte(answer, ' ')]
	}
	return answer
}

// The answers in testdata/*.answers are libsepol 3.4's: a question and its answer on each line.
func TestAnswersOfLibsepol(t *testing.T) {
	for name, versions := range map[string][]string{
		"lab": {"30", "31", "32", "33"}, "full": {"30", "31", "32", "33"}, // by secilc
		"conf": {"33"}, // by checkpolicy
	} {
		t.Run(name, func(t *testing.T) {
			path := "testdata/" + name + ".answers"
			if *update {
				writeAnswers(t, path, "testdata/"+name+".33")
			}
			lines := strings.Split(strings.TrimSuffix(string(readFile(t, path)), "\n"), "\n")
			if len(lines) < 1000 {
				t.Fatalf("%s has only %d answers", path, len(lines))
			}
			for _, version := range versions {
				s := loadServer(t, readFile(t, "testdata/"+name+"."+version))
				for _, line := range lines {
					question, want, _ := strings.Cut(line, " => ")
					if version < "32" && strings.HasPrefix(question, "new ") && usesGLBLUB(question) {
						continue // secilc leaves glblub out of policies older than 32
					}
					if got := s.answer(t, question); got != want {
						t.Errorf("version %s: %s: %s, want %s", version, question, got, want)
					}
				}
			}
		})
	}
}

// usesGLBLUB tells if the question is on a class for which the fixtures have (defaultrange … glblub).
func usesGLBLUB(question string) bool {
	return slices.Contains([]string{"unix_stream_socket", "node", "db_table"}, question[strings.LastIndexByte(question, ' ')+1:])
}

func writeAnswers(t *testing.T, path, policy string) {
	o := startOracle(t, policy)
	p := loadServer(t, readFile(t, policy)).Policy()
	var b strings.Builder
	for _, q := range questions(p, 1200, rand.New(rand.NewPCG(1, 2))) {
		fmt.Fprintf(&b, "%s => %s\n", q, withoutReason(q, o.ask(t, q)))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Where libsepol is installed, it is asked afresh.
func TestLibsepolLive(t *testing.T) {
	policies := []string{"testdata/lab.33", "testdata/full.33", "testdata/lab.30", "testdata/conf.33"}
	for _, name := range []string{"proxy-mls.33", "proxy-nomls.33", "debian-default.33"} {
		path := filepath.Join("..", "..", "shared", "mac", name)
		if _, err := os.Stat(path); err == nil {
			policies = append(policies, path)
		} else {
			t.Logf("left out: %v", err)
		}
	}
	if *more != "" {
		policies = append(policies, strings.Split(*more, ",")...)
	}
	for _, path := range policies {
		t.Run(filepath.Base(path), func(t *testing.T) {
			o := startOracle(t, path)
			s := loadServer(t, readFile(t, path))
			for _, q := range questions(s.Policy(), 3000, rand.New(rand.NewPCG(*seed, 0))) {
				if got, want := s.answer(t, q), withoutReason(q, o.ask(t, q)); got != want {
					t.Errorf("seed %d: %s: %s, want %s", *seed, q, got, want)
				}
			}
		})
	}
}
